// Finding channels in a long list.
import type { Channel } from '../api/types';
import { address } from './words';

function fold(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
}

// Every word of the question must be somewhere in the channel's name, group title or address.
export function matches(channel: Channel, question: string): boolean {
  const words = fold(question).split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const text = fold(`${channel.name} ${group_title(channel)} ${address(channel.flow)}`);
  return words.every((word) => text.includes(word));
}

export function group_title(channel: Channel): string {
  return channel.attributes['group-title'] ?? '';
}

export function group_titles(channels: Channel[]): string[] {
  return [...new Set(channels.map(group_title))].filter(Boolean).sort((a, b) => a.localeCompare(b));
}
