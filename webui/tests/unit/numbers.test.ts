import { describe, expect, it } from 'vitest';
import { bitrate, count, countdown, duration, size } from '../../src/format/numbers';

describe('bitrate', () => {
  it.each([
    [0, '0 bit/s'],
    [999, '999 bit/s'],
    [999.4, '999 bit/s'],
    [999.6, '1 kbit/s'],
    [64_000, '64 kbit/s'],
    [999_499, '999 kbit/s'],
    [999_500, '1.0 Mbit/s'],
    [8_123_456, '8.1 Mbit/s'],
    [25_000_000, '25.0 Mbit/s'],
  ])('%d is %s', (bits, text) => expect(bitrate(bits)).toBe(text));
});

describe('size', () => {
  it.each([
    [0, '0 B'],
    [1316, '1 kB'],
    [999, '999 B'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [9_000_000, '9.0 MB'],
    [999_949_999, '999.9 MB'],
    [999_950_000, '1.00 GB'],
    [3_456_000_000, '3.46 GB'],
  ])('%d is %s', (bytes, text) => expect(size(bytes)).toBe(text));
});

describe('duration', () => {
  it.each([
    [-3, '0 s'],
    [59.9, '59 s'],
    [60, '1 min'],
    [3599, '59 min'],
    [3600, '1 h'],
    [3661, '1 h 1 min'],
    [12_000, '3 h 20 min'],
    [48 * 3600 - 1, '47 h 59 min'],
    [0.999, '0 s'],
    [2 * 86_400, '2 days'],
  ])('%d s is %s', (seconds, text) => expect(duration(seconds)).toBe(text));
});

describe('countdown', () => {
  it('keeps two digits of seconds', () => expect(countdown(545)).toBe('9:05'));
  it('shows a begun second as whole, so that 0:00 means over', () => expect(countdown(0.2)).toBe('0:01'));
  it('never goes below zero', () => expect(countdown(-7)).toBe('0:00'));
});

describe('count', () => {
  it('knows one from many', () => {
    expect(count(0, 'channel', 'channels')).toBe('0 channels');
    expect(count(1, 'channel', 'channels')).toBe('1 channel');
  });
  it('groups thousands', () => expect(count(10_000, 'channel', 'channels')).toBe('10\u202f000 channels'));
});
