/** replaced below */
export class CatalogCache {}
