// A provider for one channel: transport stream packets to a multicast group on the loopback, about 1 Mbit/s.
import { createSocket, type Socket } from 'node:dgram';

export class Provider {
  private readonly socket: Socket = createSocket('udp4');
  private timer: ReturnType<typeof setInterval> | undefined;
  private counter = 0;

  constructor(
    private readonly group: string,
    private readonly port: number,
  ) {}

  async start(): Promise<void> {
    await new Promise<void>((then) => this.socket.bind(0, '127.0.0.1', then));
    this.socket.setMulticastInterface('127.0.0.1');
    this.socket.setMulticastTTL(8);
    this.timer = setInterval(() => this.socket.send(this.datagram(), this.port, this.group), 10);
  }

  close(): void {
    clearInterval(this.timer);
    this.socket.close();
  }

  // Seven packets of one elementary stream, with a continuity counter that counts.
  private datagram(): Buffer {
    const datagram = Buffer.alloc(7 * 188, 0xff);
    for (let at = 0; at < datagram.length; at += 188) {
      datagram.writeUInt32BE(0x47010010 | this.counter, at);
      this.counter = (this.counter + 1) & 15;
    }
    return datagram;
  }
}
