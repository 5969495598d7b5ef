import { describe, expect, it } from 'vitest';
import { decode_playlist } from '../../src/format/playlist_file';

const bytes = (...octets: number[]) => new Uint8Array(octets);

describe('decode_playlist', () => {
  it.each([
    ['UTF-8', bytes(0x5a, 0xc3, 0xbc), 'Zü'],
    ['UTF-8 with a mark', bytes(0xef, 0xbb, 0xbf, 0x23), '#'],
    ['ISO 8859-1', bytes(0x5a, 0xfc), 'Zü'],
    ['Windows-1252', bytes(0x80, 0x20, 0xe4), '€ ä'],
    ['UTF-16, little end first', bytes(0xff, 0xfe, 0x23, 0x00, 0xfc, 0x00), '#ü'],
    ['UTF-16, big end first', bytes(0xfe, 0xff, 0x00, 0x23, 0x00, 0xfc), '#ü'],
    ['nothing', bytes(), ''],
    ['half a UTF-16 mark', bytes(0xff), 'ÿ'],
  ])('reads %s', (_name, octets, text) => expect(decode_playlist(octets)).toBe(text));

  it('takes what a file gives', async () => {
    const file = new File([bytes(0x75, 0x64, 0x70, 0x3a, 0xe9)], 'list.m3u');
    expect(decode_playlist(await file.arrayBuffer())).toBe('udp:é');
  });

  it('never fails, whatever the octets are', () => {
    for (let first = 0; first < 256; first += 1) {
      for (const second of [0x00, 0x28, 0x80, 0xff]) {
        expect(typeof decode_playlist(bytes(first, second))).toBe('string');
      }
    }
  });
});
