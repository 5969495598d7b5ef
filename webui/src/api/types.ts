// Short names for what openapi.yaml describes. openapi.d.ts is made from it by packaging/dev/webui.sh.
import type { components } from './openapi';

type Schemas = components['schemas'];

export type Status = Schemas['Status'];
export type Session = Schemas['Session'];
export type Channel = Schemas['Channel'];
export type ChannelsEvent = Schemas['ChannelsEvent'];
export type Live = Schemas['Live'];
export type Flow = Schemas['Flow'];
export type Device = Schemas['Device'];
export type LanLink = Schemas['LanLink'];
export type Devices = Schemas['Devices'];
export type Grant = Schemas['Grant'];
export type Viewer = Schemas['Viewers']['viewers'][number];
export type Viewers = Schemas['Viewers'];
export type ImportReport = Schemas['ImportReport'];
export type ImportLine = ImportReport['lines'][number];
export type Pairing = Schemas['Pairing'];
export type PairingEvent = Schemas['PairingEvent'];
export type Peers = Schemas['Peers'];
export type Peer = Schemas['Peer'];
export type Multicast = Schemas['Multicast'];
export type MulticastInstance = Schemas['MulticastInstance'];
export type Problem = Schemas['Problem'];
