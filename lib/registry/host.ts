/** Hosts: where their API is, and whether they may be spoken to in the clear. */

import { DOCKER_HUB } from "../model/reference.ts";

/** Where Docker Hub's API is. */
const HUB_API = "registry-1.docker.io";

/** The host, with its port if it has one, that serves the API of a registry. */
export function apiHost(host: string): string {
  return host === DOCKER_HUB ? HUB_API : host;
}

/** Says whether a URL's host is this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" ||
    /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** A URL without what may be secret in it: query, fragment and user. */
export function redactUrl(url: URL): string {
  return `${url.origin}${url.pathname}${url.search === "" ? "" : "?…"}`;
}
