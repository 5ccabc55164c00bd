/** Names of Linux' signals. @see https://man7.org/linux/man-pages/man7/signal.7.html */

const NAMES = new Set(
  ("ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT " +
    "STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ").split(" "),
);

/** The highest number, of the last real-time signal. */
const LAST = 64;

/** Says whether STOPSIGNAL can name this: a number, or a name with or without `SIG`. */
export function isSignal(text: string): boolean {
  if (/^\d+$/.test(text)) return Number(text) >= 1 && Number(text) <= LAST;
  const name = text.toUpperCase().replace(/^SIG/, "");
  return NAMES.has(name) ||
    /^RTM(?:IN(?:\+(?:[1-9]|1[0-5]))?|AX(?:-(?:[1-9]|1[0-4]))?)$/.test(name);
}
