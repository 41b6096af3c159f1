/** Static files have no host of their own. */
export const ASSETS_ORIGIN = "https://assets.invalid";
