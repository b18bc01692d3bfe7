/** A way to a server that may be blocked: what is sent does not arrive, and nobody is told. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Proxy {
  readonly port: number;
  /** That clients have sent; of connections without TLS. */
  statements(): number;
  stall(): void;
  resume(): void;
  close(): Promise<void>;
}

export async function proxyTo(host: string, port: number, from = '127.0.0.1'): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let isStalled = false;
  let statements = 0;
  const server = createServer((client) => {
    // As on a cable that is cut: those who come do not get through either.
    const upstream = isStalled ? undefined : connect(port, host);
    for (const socket of [client, ...(upstream === undefined ? [] : [upstream])]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream?.destroy();
      });
    }
    const count = countsStatements();
    client.on('data', (data) => {
      statements += count(data);
      if (!isStalled) upstream?.write(data);
    });
    upstream?.on('data', (data) => isStalled || client.write(data));
  }).listen(0, from);
  await once(server, 'listening');
  return {
    port: (server.address() as { readonly port: number }).port,
    statements: () => statements,
    stall: () => {
      isStalled = true;
    },
    resume: () => {
      isStalled = false;
      // What was sent meanwhile is lost, and with it each of the connections.
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** How many statements are in what a client sends next: queries, and executions of prepared ones. */
function countsStatements(): (data: Buffer) => number {
  let rest = Buffer.alloc(0);
  let hasBegun = false;
  return (data) => {
    let found = 0;
    rest = Buffer.concat([rest, data]);
    for (;;) {
      // The first message has no type before its length.
      const head = hasBegun ? 1 : 0;
      if (rest.length < head + 4) return found;
      const length = head + rest.readUInt32BE(head);
      if (rest.length < length) return found;
      if (hasBegun && ['Q', 'E'].includes(String.fromCharCode(rest[0]!))) found++;
      hasBegun = true;
      rest = rest.subarray(length);
    }
  };
}
