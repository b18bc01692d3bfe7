/** A proxy to a server that can be blocked: data is dropped without a notice. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Proxy {
  readonly port: number;
  /** Statements sent by clients; of connections without TLS. */
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
    // As with a cut cable: new connections do not get through either.
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
      // Data sent meanwhile is lost, and with it each of the connections.
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The number of statements in a client's next data: queries, and executions of prepared ones. */
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
