/** The ports of EXPOSE. */

import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";

/**
 * The ports that one word of EXPOSE names, as `port/protocol`: `80`, `53/udp`, `8000-8002/tcp`. An
 * address and a port of the host in front (`127.0.0.1:8080:80`) are checked and dropped.
 *
 * @throws {Fault} with the line, where it names none.
 */
export function exposedPorts(word: string, instruction: Instruction, source: Source): string[] {
  const refuse = (message: string, next: string) =>
    faultAt(source, instruction, message, { word, next });
  const parts = word.split(":");
  const [ports = "", written = "tcp", ...more] = parts.pop()!.split("/");
  const hostPorts = parts.pop() ?? "";
  const address = parts.join(":");
  const protocol = (written === "" ? "tcp" : written).toLowerCase();
  if (address !== "" && !isAddress(address)) {
    throw refuse(
      `Cannot expose "${word}": "${address}" is no IP address`,
      "write the port alone; where it is published is said when a container starts",
    );
  }
  const range = rangeOf(ports);
  const hostRange = hostPorts === "" ? undefined : rangeOf(hostPorts);
  const isKnown = more.length === 0 && ["tcp", "udp", "sctp"].includes(protocol);
  if (range === undefined || !isKnown || (hostPorts !== "" && hostRange === undefined)) {
    throw refuse(
      `Cannot expose the port "${word}"`,
      'write a port or range up to 65535, such as "80", "53/udp" or "8000-8002"',
    );
  }
  const [first, last] = range;
  if (hostRange !== undefined && first !== last && hostRange[1] - hostRange[0] !== last - first) {
    throw refuse(
      `Cannot expose "${word}": the two ranges have not as many ports`,
      `write "${ports}" alone`,
    );
  }
  return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${protocol}`);
}

function rangeOf(text: string): readonly [number, number] | undefined {
  const match = /^\+?(\d{1,9})(?:-\+?(\d{1,9}))?$/.exec(text);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  return match === null || last < first || last > 65535 ? undefined : [first, last];
}

/** Says whether this is an address of IP, one of version 6 perhaps in brackets. */
function isAddress(text: string): boolean {
  if (/^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/.test(text)) return !text.endsWith(".");
  const inner = /^\[(.*)\]$/s.exec(text)?.[1] ?? text;
  return /^[\da-f:.]+$/i.test(inner) && inner.includes(":") && URL.canParse(`http://[${inner}]/`);
}
