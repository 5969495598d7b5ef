// Renders parts and screens to the HTML that a browser would show first, without a browser.
import { render } from 'svelte/server';
import type { Component } from 'svelte';
import type { Channel, Device, Live, Viewer } from '../../src/api/types';
import { box } from '../../src/live/box.svelte';
import { empty_snapshot, type Snapshot } from '../../src/live/snapshot';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each component has properties of its own
export function html(component: Component<any>, props: Record<string, unknown> = {}): string {
  return render(component, { props }).body.replace(/<!--.*?-->/g, '');
}

// The words that a person reads, blanks put together.
export function words(component: Component<any>, props: Record<string, unknown> = {}): string {
  return html(component, props)
    .replace(/<[^>]*>/g, ' ')
    .replace(/&amp;/g, '&')
    .replace(/&lt;/g, '<')
    .replace(/\s+/g, ' ')
    .trim();
}

// What the page knows, from now on.
export function know(parts: Partial<Snapshot> = {}): void {
  box.snapshot = { ...empty_snapshot(), ...parts };
  box.connection = 'open';
  box.channels_error = undefined;
}

export const idle: Live = { state: 'idle', bitrate_bps: 0, packets: 0, continuity_errors: 0, viewers: 0 };
export const live: Live = { state: 'live', bitrate_bps: 8_250_000, packets: 9, continuity_errors: 0, viewers: 2 };

export function channel(id: number, parts: Partial<Channel> = {}): Channel {
  const flow = { group: '239.1.1.1', port: 5000 + id };
  return { id, name: `Channel ${id}`, flow, rtp: false, attributes: {}, live: idle, ...parts };
}

export function device(id: number, parts: Partial<Device> = {}): Device {
  return { id, name: `Device ${id}`, fingerprint: '7KQ4', state: 'approved', channels: [], home_hosts: [], connected: false, lan_link: false, ...parts };
}

export function viewer(device_id: number, channel_id: number, parts: Partial<Viewer> = {}): Viewer {
  return {
    device_id,
    device_name: `Device ${device_id}`,
    channel_id,
    channel_name: `Channel ${channel_id}`,
    via: 'tunnel',
    players: 1,
    since_s: 60,
    packets: 1,
    bytes: 1_000_000,
    dropped: 0,
    ...parts,
  };
}

export const hostile = '<img src=x onerror=alert(1)>"\'&';
