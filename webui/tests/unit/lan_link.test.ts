import { describe, expect, it } from 'vitest';
import { lan_url } from '../../src/format/lan_link';

const link = { path: '/lan/7KQ4/playlist.m3u', port: 8872, urls: ['http://192.168.1.5:8872/lan/7KQ4/playlist.m3u'] };

describe('lan_url', () => {
  it('leads to where the owner is', () => expect(lan_url(link, 'tv.local')).toBe('http://tv.local:8872/lan/7KQ4/playlist.m3u'));
  it('keeps the brackets of IPv6', () => expect(lan_url(link, '[fd00::1]')).toBe('http://[fd00::1]:8872/lan/7KQ4/playlist.m3u'));
  it('else takes the first address that the box knows', () => {
    expect(lan_url(link, '')).toBe(link.urls[0]);
    expect(lan_url({ ...link, urls: [] }, '')).toBe('');
  });
});
