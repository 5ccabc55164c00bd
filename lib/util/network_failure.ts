/** Network failures in the words of programs that download: curl, Git, Java, Go. */

const TRANSFER = /download|fetch|registry|unable to access|https?:\/\//i;

const FAILURE = new RegExp(
  [
    "could(?:n't| not) (?:resolve|connect)",
    "failed (?:to connect|to resolve)",
    "unknown ?host",
    "no such host",
    "name or service not known",
    "temporary failure in name resolution",
    "network is unreachable",
    "no route to host",
    "connection (?:refused|timed out)",
    "connect timed out",
    "unable to tunnel",
    "CONNECT tunnel failed",
    "proxy (?:returned|replied|refused)",
  ].join("|"),
  "i",
);

/** Whether a program says that it could not download something since a host is out of reach. */
export function saysUnreachable(text: string): boolean {
  return TRANSFER.test(text) && FAILURE.test(text);
}
