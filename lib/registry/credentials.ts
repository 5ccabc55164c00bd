/** Where the credentials of a registry are looked up. */

/** Settings of {@link Credentials}. */
export interface CredentialsSettings {
  /** Name of the declared registry, for `IMAGES_<REGISTRY>_USERNAME` and `_PASSWORD`. */
  readonly registryName?: string;
}

/** Looks up credentials. */
export class Credentials {
  readonly #settings: CredentialsSettings;

  /** Looks nothing up yet. */
  constructor(settings: CredentialsSettings) {
    this.#settings = settings;
    void this.#settings;
  }
}
