/** The ports of EXPOSE. */

import { faultAt, type Source } from "../syntax/place.ts";
import type { Instruction } from "../syntax/script.ts";

/**
 * The ports that one word of EXPOSE names, as `port/protocol`: `80`, `53/udp`, `8000-8002/tcp`.
 * What stands in front of a colon belongs to the host and is dropped, as Docker does.
 *
 * @throws {Fault} with the line, where it names none.
 */
export function exposedPorts(word: string, instruction: Instruction, source: Source): string[] {
  const inner = word.slice(word.lastIndexOf(":") + 1);
  const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp)?)?$/i.exec(inner);
  const first = Number(match?.[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || last < first || last > 65535) {
    throw faultAt(source, instruction, `Cannot expose the port "${word}"`, {
      word,
      next: 'write a port or range up to 65535, such as "80", "53/udp" or "8000-8002"',
    });
  }
  const protocol = (match[3] ?? "tcp").toLowerCase();
  return Array.from({ length: last - first + 1 }, (_, at) => `${first + at}/${protocol}`);
}
