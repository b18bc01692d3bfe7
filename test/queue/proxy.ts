/** A way to a server that may be blocked: what is sent does not arrive, and nobody is told. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface Proxy {
  readonly port: number;
  stall(): void;
  resume(): void;
  close(): Promise<void>;
}

export async function proxyTo(host: string, port: number, from = '127.0.0.1'): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let isStalled = false;
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
    client.on('data', (data) => isStalled || upstream?.write(data));
    upstream?.on('data', (data) => isStalled || client.write(data));
  }).listen(0, from);
  await once(server, 'listening');
  return {
    port: (server.address() as { readonly port: number }).port,
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
