/** What is asked of a registry. */

/** One request, whatever it takes to have it answered. */
export interface Question {
  readonly method: string;
  /** Path below the registry's root, or a URL that the registry named. */
  readonly at: string | URL;
  readonly repository: string;
  readonly scopes: readonly string[];
  /** Infinitive of what is done, for faults. */
  readonly action: string;
  /** Statuses that are answers; others are faults. */
  readonly accepts: readonly number[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Opened for each attempt. */
  readonly body?: () => Promise<ReadableStream<Uint8Array>> | Uint8Array;
  /** Length of the body in bytes, where it is known. */
  readonly length?: number;
  readonly onBytes?: (bytes: number) => void;
  /** Asked again after a temporary failure. @default true */
  readonly retry?: boolean;
  /** Carries a blob, whose number at once is bounded elsewhere. @default false */
  readonly carriesBlob?: boolean;
  /** Its answer's body has a time as a whole. @default false */
  readonly isDocument?: boolean;
  /** Size of the blob that is committed, in bytes, where that is not the body's. */
  readonly blobSize?: number;
  /** Ends this request besides what ends all of them. */
  readonly signal?: AbortSignal;
  /** Ends this request in the place of what ends all others. */
  readonly signalInstead?: AbortSignal;
}

/** What ends a request. */
export function signalOf({ signal, signalInstead }: Question, all: AbortSignal): AbortSignal {
  return signalInstead ?? (signal === undefined ? all : AbortSignal.any([signal, all]));
}
