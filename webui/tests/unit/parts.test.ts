import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/api/problem';
import { box } from '../../src/live/box.svelte';
import Approve from '../../src/parts/Approve.svelte';
import Badge from '../../src/parts/Badge.svelte';
import ChannelPicker from '../../src/parts/ChannelPicker.svelte';
import ChannelRow from '../../src/parts/ChannelRow.svelte';
import CopyField from '../../src/parts/CopyField.svelte';
import Empty from '../../src/parts/Empty.svelte';
import ImportResult from '../../src/parts/ImportResult.svelte';
import Notice from '../../src/parts/Notice.svelte';
import PasswordField from '../../src/parts/PasswordField.svelte';
import PlainHttp from '../../src/parts/PlainHttp.svelte';
import { channel, device, hostile, html, idle, know, live, words } from './render';

beforeEach(() => know());

describe('Badge', () => {
  it('says its state in words, not by colour alone', () => {
    expect(words(Badge, { text: 'Live', tone: 'good' })).toBe('Live');
    expect(html(Badge, { text: 'Live', tone: 'good' })).toContain('badge good');
  });
});

describe('Notice', () => {
  const error = new ApiError('storage_full', "The box's disk is full.", 'Free some space.');
  it('tells what happened and what to do next, aloud', () => {
    expect(words(Notice, { error })).toBe("The box's disk is full. Free some space.");
    expect(html(Notice, { error })).toContain('role="alert"');
  });
  it('is quiet when nothing is wrong', () => {
    expect(html(Notice, { tone: 'good', title: 'Done' })).toContain('role="status"');
    expect(words(Notice, {})).toBe('');
  });
  it('has no empty line for an error without advice', () => {
    expect(html(Notice, { error: new ApiError('internal', 'It failed.', '') }).match(/<p[ >]/g)).toHaveLength(1);
  });
});

describe('PasswordField', () => {
  it('hides what is typed and tells password managers what it is', () => {
    const shown = html(PasswordField, { label: 'Password', value: 'secret', autocomplete: 'current-password' });
    expect(shown).toContain('type="password"');
    expect(shown).toContain('autocomplete="current-password"');
  });
  it('says what is wrong instead of the hint', () => {
    const props = { label: 'New', value: '', autocomplete: 'new-password', hint: 'Ten at least.' };
    expect(words(PasswordField, props)).toContain('Ten at least.');
    const wrong = { ...props, wrong: 'Too short.' };
    expect(words(PasswordField, wrong)).toContain('Too short.');
    expect(words(PasswordField, wrong)).not.toContain('Ten at least.');
    expect(html(PasswordField, wrong)).toContain('aria-invalid="true"');
  });
});

describe('PlainHttp', () => {
  afterEach(() => vi.unstubAllGlobals());
  it('warns where a password would be typed in the open', () => {
    vi.stubGlobal('location', { protocol: 'http:', hostname: 'tv.local' });
    expect(words(PlainHttp)).toContain('unencrypted');
    expect(html(PlainHttp)).toContain('https://tv.local:8871');
  });
  it('is silent where all is sealed', () => {
    vi.stubGlobal('location', { protocol: 'https:', hostname: 'tv.local' });
    expect(words(PlainHttp)).toBe('');
  });
});

describe('CopyField', () => {
  it('shows what there is to copy, and lets nobody change it', () => {
    const shown = html(CopyField, { label: 'Link', value: hostile });
    expect(shown).toContain('readonly');
    expect(shown).not.toContain('<img');
    expect(words(CopyField, { label: 'Link', value: 'x' })).toContain('Copy Link');
  });
});

describe('Empty', () => {
  it('says why nothing is there', () => expect(words(Empty, { icon: 'eye', title: 'Nobody is watching' })).toBe('Nobody is watching'));
});

describe('ChannelRow', () => {
  it('tells where a channel is and what it does now', () => {
    const text = words(ChannelRow, { channel: channel(1, { rtp: true, attributes: { 'group-title': 'News' } }), live });
    for (const part of ['Channel 1', 'News', '239.1.1.1:5001', 'RTP', 'Live', '8.3 Mbit/s', '2 viewers']) {
      expect(text).toContain(part);
    }
  });
  it('has no figures for an idle one', () => {
    const text = words(ChannelRow, { channel: channel(1), live: idle });
    expect(text).toContain('Idle');
    expect(text).not.toContain('viewer');
    expect(text).not.toContain('bit/s');
  });
  it('counts errors and hides a bitrate that is none', () => {
    const text = words(ChannelRow, { channel: channel(1), live: { ...live, state: 'no_signal', continuity_errors: 1, viewers: 1 } });
    expect(text).toContain('1 continuity error');
    expect(text).not.toContain('continuity errors');
    expect(text).toContain('1 viewer ');
    expect(text).not.toContain('bit/s');
  });
  it('never takes a name for markup', () => {
    const shown = html(ChannelRow, { channel: channel(1, { name: hostile, attributes: { 'group-title': hostile } }), live });
    expect(shown).not.toContain('<img');
    expect(shown).toContain('&lt;img');
  });
});

describe('ChannelPicker', () => {
  const some = [channel(1), channel(2), channel(3)];
  it('ticks what is granted', () => {
    const shown = html(ChannelPicker, { channels: some, grant: [2] });
    expect(shown.match(/ checked/g)).toHaveLength(1);
    expect(words(ChannelPicker, { channels: some, grant: [2] })).toContain('1 of 3 channels ticked');
  });
  it('shows no list when all are granted', () => {
    const text = words(ChannelPicker, { channels: some, grant: 'all' });
    expect(text).toContain('All channels');
    expect(text).not.toContain('Channel 1');
  });
  it('leads to the import when there is nothing to tick', () => {
    expect(html(ChannelPicker, { channels: [], grant: [] })).toContain('#/channels/import');
  });
  it('tells channels that are not known yet from none', () => {
    expect(words(ChannelPicker, { channels: undefined, grant: [] })).toContain('Loading the channels');
    expect(html(ChannelPicker, { channels: undefined, grant: [] })).not.toContain('#/channels/import');
  });
  it('shows a hundred of ten thousand, and a way to the rest', () => {
    const many = Array.from({ length: 10_000 }, (_, n) => channel(n + 1));
    const shown = html(ChannelPicker, { channels: many, grant: [] });
    expect(shown.match(/<li/g)).toHaveLength(100);
    expect(words(ChannelPicker, { channels: many, grant: [] })).toContain('Show all 10000');
  });
  it('survives a grant of channels that are gone', () => {
    expect(words(ChannelPicker, { channels: some, grant: [7, 8, 9] })).toContain('3 of 3 channels ticked');
  });
});

describe('Approve', () => {
  it('shows the symbols to compare, and the name as text', () => {
    const shown = html(Approve, { device: device(1, { state: 'pending', name: hostile }), channels: [channel(1)] });
    expect(shown).toContain('7KQ4');
    expect(shown).not.toContain('<img');
  });
  it('says what approving with nothing ticked means', () => {
    const props = { device: device(1, { state: 'pending' }), channels: [channel(1)] };
    expect(words(Approve, props)).toContain('Nothing is ticked');
    expect(words(Approve, { ...props, device: device(1, { state: 'pending', channels: 'all' }) })).not.toContain('Nothing is ticked');
  });
  it('begins with nothing ticked for a device that has nothing', () => {
    expect(html(Approve, { device: device(1, { state: 'pending' }), channels: [channel(1)] })).not.toContain(' checked');
  });
});

describe('ImportResult', () => {
  const report = { added: 1, updated: 0, unchanged: 0, failed: 0, revision: 1, lines: [] as unknown[] };
  const again = () => {};
  it.each([
    [{ ...report }, 'Every line was understood'],
    [{ ...report, failed: 1 }, 'one line could not be used'],
    [{ ...report, failed: 3 }, '3 lines could not be used'],
    [{ ...report, added: 0, failed: 3 }, 'No line could be used'],
  ])('sums up %#', (given, text) => expect(words(ImportResult, { report: given, again })).toContain(text));

  it('says for each line what became of it', () => {
    const lines = [
      { line: 2, result: 'added', text: '239.1.1.1:5000', name: 'One', channel_id: 1 },
      { line: 3, result: 'failed', text: 'names are not looked up' },
      { line: 4, result: 'unchanged', text: '239.1.1.2:5000', name: hostile },
    ];
    const text = words(ImportResult, { report: { ...report, failed: 1, unchanged: 1, lines }, again });
    expect(text).toContain('Line 3 names are not looked up Failed');
    expect(text).toContain('Line 2 One 239.1.1.1:5000 Added');
    expect(html(ImportResult, { report: { ...report, lines }, again })).not.toContain('<img');
  });
  it('shows two hundred lines at first, and says how many are left', () => {
    const lines = Array.from({ length: 1500 }, (_, n) => ({ line: n + 1, result: 'added', text: 'x' }));
    expect(words(ImportResult, { report: { ...report, added: 1500, lines }, again })).toContain('Show more (1300 left)');
  });
});

describe('the page behind all of them', () => {
  it('keeps no secret of its own', () => expect(JSON.stringify(box.snapshot)).not.toContain('hearthcast://'));
});
