import { describe, expect, it } from 'vitest';
import { lan_url } from '../../src/format/lan_link';

const path = '/lan/7KQ4/playlist.m3u';
const link = { path, port: 8872, urls: [`http://192.168.1.5:8872${path}`, `http://[fd00::1]:8872${path}`] };

describe('lan_url', () => {
  it('leads to where the owner is', () => {
    expect(lan_url(link, 'tv.local')).toBe(`http://tv.local:8872${path}`);
    expect(lan_url(link, '[fd00::1]')).toBe(`http://[fd00::1]:8872${path}`);
  });
  it('takes the likeliest address of the box when the page came by another way', () => {
    for (const host of ['localhost', '127.0.0.1', '[::1]', '10.203.0.1', '']) expect(lan_url(link, host)).toBe(link.urls[0]);
  });
  it('is where the owner is when the box knows no address', () => {
    expect(lan_url({ ...link, urls: [] }, '192.168.1.9')).toBe(`http://192.168.1.9:8872${path}`);
  });
});
