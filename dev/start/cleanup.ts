/** What has to be ended, in the reverse order of its start. */
export class Cleanup {
  readonly #steps: { name: string; end: () => Promise<void> }[] = [];

  add(name: string, end: () => Promise<void>): void {
    this.#steps.push({ name, end });
  }

  /** Ends everything, whatever of it fails; safe to call twice. */
  async run(): Promise<void> {
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step.end();
      } catch (error) {
        console.error(
          `Ending ${step.name} failed: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
}
