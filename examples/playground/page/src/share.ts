// A flow in an address: compressed, behind `#`, so that no server sees it.

import { Failure } from "./engine";

const through = async (bytes: Uint8Array, stream: CompressionStream | DecompressionStream): Promise<Uint8Array> =>
  new Uint8Array(await new Response(new Blob([bytes as any]).stream().pipeThrough(stream as any)).arrayBuffer());

export async function encode(text: string): Promise<string> {
  const packed = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  let binary = "";
  for (const byte of packed) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function decode(code: string): Promise<string> {
  try {
    const binary = atob(code.replaceAll("-", "+").replaceAll("_", "/"));
    const packed = Uint8Array.from(binary, (char) => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(await through(packed, new DecompressionStream("deflate-raw")));
  } catch {
    throw new Failure("bad_link", "the link does not hold a flow: it was cut, or changed on its way");
  }
}

export function download(name: string, text: string, type = "application/json") {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  (link.href = address), (link.download = name), link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
