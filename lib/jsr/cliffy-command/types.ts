/** Types that are read off option and argument strings, as the original infers them. */

import type { InferType } from "./values.ts";

/** `keep-going` is `keepGoing`. */
export type CamelCase<S extends string> = S extends `${infer A}-${infer B}`
  ? `${A}${Capitalize<CamelCase<B>>}`
  : S;

/** Value types by their names in option strings. */
interface BuiltInTypes {
  string: string;
  number: number;
  integer: number;
  file: string;
}

type TypeNamed<K extends string, T> = K extends keyof T ? InferType<T[K]>
  : K extends keyof BuiltInTypes ? BuiltInTypes[K]
  : unknown;

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

type ValueOf<L extends string, T> = L extends `${string}<${infer A}>` ? Bracketed<A, T>
  : L extends `${string}[${infer A}]` ? Bracketed<A, T> | true
  : true;

type Collected<V, C> = C extends { collect: true } ? V[] : V;

type IsGiven<C> = C extends { required: true } ? true
  : C extends { default: infer D } ? (undefined extends D ? false : true)
  : false;

/** The member that one option adds to those that are there already. */
export type OptionMember<F extends string, C, T> = LongName<LongPart<F>> extends `no-${infer N}`
  ? { [K in CamelCase<N>]: boolean }
  : IsGiven<C> extends true
    ? { [K in CamelCase<LongName<LongPart<F>>>]: Collected<ValueOf<LongPart<F>, T>, C> }
  : LongPart<F> extends `${string}${"<" | "["}${string}`
    ? { [K in CamelCase<LongName<LongPart<F>>>]?: Collected<ValueOf<LongPart<F>, T>, C> }
  : { [K in CamelCase<LongName<LongPart<F>>>]?: Collected<ValueOf<LongPart<F>, T>, C> | undefined };

/** The tuple of a command's arguments: `<a:string> [b...:string]`. */
export type ArgumentsOf<S extends string, T> = S extends `${infer A} ${infer R}`
  ? [...ArgumentOf<Trim<A>, T>, ...ArgumentsOf<R, T>]
  : ArgumentOf<Trim<S>, T>;

type ArgumentOf<S extends string, T> = S extends `<${infer A}...:${infer K}>`
  ? [Bracketed<`${A}:${K}`, T>, ...Bracketed<`${A}:${K}`, T>[]]
  : S extends `[${infer A}...:${infer K}]` ? Bracketed<`${A}:${K}`, T>[]
  : S extends `<${infer A}>` ? [Bracketed<A, T>]
  : S extends `[${infer A}]` ? [Bracketed<A, T>?]
  : [];

/** Two sets of options as one; the later's win. */
export type Merged<A, B> = A extends void ? B
  : B extends void ? A
  : { [K in keyof (Omit<A, keyof B> & B)]: (Omit<A, keyof B> & B)[K] };
