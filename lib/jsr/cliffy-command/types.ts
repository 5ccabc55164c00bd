/** Types that are read off option and argument strings, as the original infers them. */

/** `keep-going` is `keepGoing`. */
export type CamelCase<S extends string> = S extends `${infer A}-${infer B}`
  ? `${A}${Capitalize<CamelCase<B>>}`
  : S;

/** Value types by their names in option strings. */
export interface BuiltInTypes {
  string: string;
  number: number;
  integer: number;
  boolean: boolean;
  file: string;
  secret: string;
}

type TypeNamed<K extends string, T> = K extends keyof T ? T[K]
  : K extends keyof BuiltInTypes ? BuiltInTypes[K]
  : string;

/** `jobs <n:integer>` without its name: the type of what is in the brackets. */
type Bracketed<S extends string, T> = S extends `${string}:${infer K}` ? TypeNamed<K, T> : string;

type Trim<S extends string> = S extends `${infer A} ` ? Trim<A>
  : S extends ` ${infer A}` ? Trim<A>
  : S;

/** The part after the long flag's dashes: `--jobs <n:integer>` gives `jobs <n:integer>`. */
type LongPart<F extends string> = F extends `${string}--${infer R}` ? R
  : F extends `-${infer R}` ? R
  : never;

type LongName<L extends string> = Trim<
  L extends `${infer N} ${string}` ? N : L extends `${infer N}=${string}` ? N : L
>;

type ValueOf<L extends string, T> = L extends `${string}<${infer A}...${infer K}>`
  ? Bracketed<`${A}${K}`, T>[]
  : L extends `${string}<${infer A}>` ? Bracketed<A, T>
  : L extends `${string}[${infer A}]` ? Bracketed<A, T> | true
  : true;

type Collected<V, C> = C extends { collect: true } ? V[] : V;

type IsGiven<C> = C extends { required: true } ? true
  : C extends { default: infer D } ? (undefined extends D ? false : true)
  : false;

/** The member that one option adds to the options of a command. */
export type OptionMember<F extends string, C, T> = LongName<LongPart<F>> extends `no-${infer N}`
  ? { [K in CamelCase<N>]: boolean }
  : IsGiven<C> extends true
    ? { [K in CamelCase<LongName<LongPart<F>>>]: Collected<ValueOf<LongPart<F>, T>, C> }
  : { [K in CamelCase<LongName<LongPart<F>>>]?: Collected<ValueOf<LongPart<F>, T>, C> };

/** The tuple of a command's arguments: `<a:string> [b...:string]`. */
export type ArgumentsOf<S extends string, T> = S extends `${infer A} ${infer R}`
  ? [...ArgumentOf<Trim<A>, T>, ...ArgumentsOf<R, T>]
  : ArgumentOf<Trim<S>, T>;

type ArgumentOf<S extends string, T> = S extends `<...${infer A}>`
  ? [Bracketed<A, T>, ...Bracketed<A, T>[]]
  : S extends `[...${infer A}]` ? Bracketed<A, T>[]
  : S extends `<${infer A}...:${infer K}>`
    ? [Bracketed<`${A}:${K}`, T>, ...Bracketed<`${A}:${K}`, T>[]]
  : S extends `[${infer A}...:${infer K}]` ? Bracketed<`${A}:${K}`, T>[]
  : S extends `<${infer A}>` ? [Bracketed<A, T>]
  : S extends `[${infer A}]` ? [Bracketed<A, T>?]
  : [];

/** Two sets of options as one. */
export type Merged<A, B> = { [K in keyof (A & B)]: (A & B)[K] };
