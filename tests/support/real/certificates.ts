/** Certificates for servers on loopback, made with openssl. */

import { runTool } from "./program.ts";
import { tempFolder } from "./temp_folder.ts";

/** A private authority and what it has signed; all are paths of PEM files. */
export interface Certificates extends AsyncDisposable {
  /** The authority's certificate. */
  readonly authority: string;
  /** A certificate for `localhost` and 127.0.0.1, and its key. */
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes an authority, and a certificate for servers on loopback that it has signed.
 *
 * @param names further names that the certificate is for.
 */
export async function makeCertificates(...names: readonly string[]): Promise<Certificates> {
  const folder = await tempFolder("tls");
  const { path } = folder;
  const openssl = (...args: string[]) => runTool(["openssl", ...args], { cwd: path });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const authority = ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=images test authority"];
  await openssl("req", "-x509", ...newKey, ...authority, "-days", "2");
  await openssl(
    "req",
    ...newKey,
    "-keyout",
    "tls.key",
    "-out",
    "tls.csr",
    "-subj",
    "/CN=localhost",
  );
  const all = ["IP:127.0.0.1", ...["localhost", ...names].map((name) => `DNS:${name}`)].join(",");
  await Deno.writeTextFile(`${path}/names`, `subjectAltName=${all}\n`);
  const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"];
  await openssl("x509", "-req", "-in", "tls.csr", "-out", "tls.crt", ...signed, "-days", "2");
  return {
    authority: `${path}/ca.crt`,
    certificate: `${path}/tls.crt`,
    key: `${path}/tls.key`,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
