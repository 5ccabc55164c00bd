/** Sends and reads a blob of so many MiB, and prints the most memory that was used, in MiB. */

import { clientOf, largeBlob, lengthOf } from "./rig.ts";

const [host = "", mebibytes = ""] = Deno.args;
using client = clientOf(host);
const whole = largeBlob(Number(mebibytes), 1);
await client.upload("team/whole", whole.descriptor, whole.open);
await client.uploadStream("team/streamed", largeBlob(Number(mebibytes), 2).open);
await lengthOf(await client.blob("team/whole", whole.descriptor));
const [, kibibytes] = /VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status")) ?? [];
console.log(Math.round(Number(kibibytes) / 1024));
