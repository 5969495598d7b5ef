// A device that pairs, written from docs/protocol/pairing.md alone: what it and the box agree on is the document.
import { createHash, createHmac, generateKeyPairSync, hkdfSync, randomBytes } from 'node:crypto';
import { Agent, request } from 'node:https';
import type { TLSSocket } from 'node:tls';

export interface Link {
  box_id: Buffer;
  secret: Buffer;
  rendezvous: string;
  addresses: { host: string; port: number }[];
}

export function read_link(link: string): Link {
  const bytes = Buffer.from(link.replace('hearthcast://pair#', ''), 'base64url');
  let at = 0;
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw new Error('the link ends too early');
    return bytes.subarray(at, (at += length));
  };
  const number = (length: number) => take(length).readUIntBE(0, length);
  if (number(1) !== 1) throw new Error('not a link of version 1');
  const box_id = take(32);
  const secret = take(16);
  if (number(1) === 2) take(32);
  const rendezvous = take(number(2)).toString();
  const addresses = Array.from({ length: number(1) }, () => {
    const four = number(1) === 4;
    const octets = take(four ? 4 : 16);
    const host = four
      ? octets.join('.')
      : Array.from({ length: 8 }, (_, i) => octets.readUInt16BE(2 * i).toString(16)).join(':');
    return { host, port: number(2) };
  });
  if (at !== bytes.length) throw new Error('something follows the link');
  return { box_id, secret, rendezvous, addresses };
}

const sha256 = (...parts: (Buffer | string)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

// The first 20 bits of SHA-256(device key || box key) as four Crockford symbols.
export function fingerprint(device_key: Buffer, box_key: Buffer): string {
  const bits = sha256(device_key, box_key).readUIntBE(0, 3) >> 4;
  return [15, 10, 5, 0].map((shift) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[(bits >> shift) & 31]).join('');
}

export type Answer = { fingerprint: string; box_name: string } | { refused: string };

// Sends the pairing message to the link's first address, checks all that the answer must prove.
export async function pair(link_text: string, name: string, secret?: Buffer): Promise<Answer> {
  const link = read_link(link_text);
  const key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const public_key = key.publicKey.export({ type: 'spki', format: 'der' });
  const k = Buffer.from(hkdfSync('sha256', secret ?? link.secret, '', 'hearthcast pairing 1', 32));
  const proof = (who: string, transcript: Buffer) => createHmac('sha256', k).update(`${who}\0`).update(transcript).digest();
  const nonce = randomBytes(16);
  const t1 = Buffer.concat([sha256(public_key), sha256(name), nonce]);
  const message = JSON.stringify({
    public_key: public_key.toString('base64url'),
    name,
    nonce: nonce.toString('base64url'),
    mac: proof('device', t1).toString('base64url'),
  });
  let { status, body, server_key } = await post(link.addresses[0]!, message);
  while (status === 429) {
    // Who guesses has to wait, and is told how long.
    await new Promise((then) => setTimeout(then, 1000 * body.retry_after_s!));
    ({ status, body, server_key } = await post(link.addresses[0]!, message));
  }
  if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
  if (!sha256(server_key).equals(link.box_id)) throw new Error('the server is not the box of the link');
  if (body.error) return { refused: body.error.code };
  const box_key = Buffer.from(body.public_key!, 'base64url');
  if (!sha256(box_key).equals(link.box_id)) throw new Error('the answer is of another box');
  const told = [body.name!, body.rendezvous?.url ?? '', body.rendezvous?.pin ?? '', ...body.addresses!];
  const details = sha256(told.map((line) => `${line}\n`).join(''));
  const t2 = Buffer.concat([t1, sha256(box_key), Buffer.from(body.nonce!, 'base64url'), details]);
  if (proof('box', t2).toString('base64url') !== body.mac) throw new Error('the answer proves nothing');
  return { fingerprint: fingerprint(public_key, box_key), box_name: body.name! };
}

interface Body {
  public_key?: string;
  nonce?: string;
  mac?: string;
  name?: string;
  rendezvous?: { url: string; pin: string };
  addresses?: string[];
  error?: { code: string; text: string };
  retry_after_s?: number;
}

interface Reply {
  status: number;
  body: Body;
  server_key: Buffer;
}

function post(to: { host: string; port: number }, message: string): Promise<Reply> {
  return new Promise((then, fail) => {
    const asking = request(
      {
        ...to,
        path: '/api/v1/pair',
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Hearthcast': '1' },
        rejectUnauthorized: false, // its key is checked against the link instead
        agent: new Agent({ keepAlive: false, maxCachedSessions: 0 }), // a resumed session shows no certificate
        timeout: 60_000,
      },
      (answer) => {
        const certificate = (answer.socket as TLSSocket).getPeerX509Certificate();
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => (text += part));
        answer.on('end', () => {
          then({
            status: answer.statusCode!,
            body: JSON.parse(text) as Body,
            server_key: certificate!.publicKey.export({ type: 'spki', format: 'der' }),
          });
        });
      },
    );
    asking.on('error', fail);
    asking.on('timeout', () => asking.destroy(new Error('no answer')));
    asking.end(message);
  });
}
