import { describe, expect, it } from 'vitest';
import { parse_home_hosts, same_home_hosts } from '../../src/format/home_hosts';
import Device from '../../src/screens/Device.svelte';
import { device, hostile, html, know, words } from './render';

describe('parse_home_hosts', () => {
  it('takes one a line, and what people type instead', () => {
    expect(parse_home_hosts('192.168.1.50:80\n192.168.1.0/24')).toEqual(['192.168.1.50:80', '192.168.1.0/24']);
    expect(parse_home_hosts(' 192.168.1.50 ,fd00::5;[fd00::6]:80\r\n\n')).toEqual(['192.168.1.50', 'fd00::5', '[fd00::6]:80']);
  });
  it('takes each once', () => expect(parse_home_hosts('fd00::5 fd00::5')).toEqual(['fd00::5']));
  it('takes nothing for nothing', () => expect(parse_home_hosts(' \n, ')).toEqual([]));
});

describe('same_home_hosts', () => {
  it('compares them in their order', () => {
    expect(same_home_hosts([], [])).toBe(true);
    expect(same_home_hosts(['a', 'b'], ['a', 'b'])).toBe(true);
    expect(same_home_hosts(['a', 'b'], ['b', 'a'])).toBe(false);
    expect(same_home_hosts(['a'], ['a', 'b'])).toBe(false);
  });
});

describe('the hosts at home on the page of a device', () => {
  it('are nowhere by default, and say what they are for', () => {
    know({ channels: [], devices: [device(1)] });
    const text = words(Device, { id: 1 });
    for (const part of ['Devices at home', 'nothing else of your network', 'Save addresses']) expect(text).toContain(part);
    expect(html(Device, { id: 1 })).toMatch(/<textarea[^>]*id="home-hosts"[^>]*><\/textarea>/);
  });
  it('are shown one a line', () => {
    know({ channels: [], devices: [device(1, { home_hosts: ['192.168.1.50:80', 'fd00::5'] })] });
    expect(html(Device, { id: 1 })).toContain('192.168.1.50:80\nfd00::5');
  });
  it('are not offered to a device that may not come in', () => {
    know({ channels: [], devices: [device(1, { state: 'revoked' }), device(2, { state: 'pending' })] });
    for (const id of [1, 2]) expect(words(Device, { id })).not.toContain('Devices at home');
  });
  it('are text, whatever they contain', () => {
    know({ channels: [], devices: [device(1, { home_hosts: [hostile] })] });
    expect(html(Device, { id: 1 })).not.toContain('<img');
  });
});
