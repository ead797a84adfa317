// SPDX-License-Identifier: Apache-2.0
/**
 * What `ip -json` of iproute2 6.1 printed on a machine with two uplinks, eth1 (10.81.1.1/24) and eth2
 * (10.81.2.1/24), each with a default route, and no rules; and a view of a system that prints that.
 */
import type { SystemView } from '../../lib/cli/doctor/network-facts.js'

const ADDRESSES =
  '[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"qdisc":"noqueue","operstate":"UNKNOWN","group":"default","txqlen":1000,"link_type":"loopback","address":"00:00:00:00:00:00","broadcast":"00:00:00:00:00:00","addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"::1","prefixlen":128,"scope":"host","valid_life_time":4294967295,"preferred_life_time":4294967295}]},{"ifindex":2,"link_index":2,"ifname":"eth1","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"b6:94:0b:4d:d8:dd","broadcast":"ff:ff:ff:ff:ff:ff","link_netnsid":0,"addr_info":[{"family":"inet","local":"10.81.1.1","prefixlen":24,"scope":"global","label":"eth1","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fd81:1::1","prefixlen":64,"scope":"global","nodad":true,"valid_life_time":4294967295,"preferred_life_time":4294967295}]},{"ifindex":3,"link_index":3,"ifname":"eth2","flags":["BROADCAST","MULTICAST","UP","LOWER_UP"],"mtu":1500,"qdisc":"noqueue","operstate":"UP","group":"default","txqlen":1000,"link_type":"ether","address":"22:ce:ab:18:fa:cb","broadcast":"ff:ff:ff:ff:ff:ff","link_netnsid":0,"addr_info":[{"family":"inet","local":"10.81.2.1","prefixlen":24,"scope":"global","label":"eth2","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"fd81:2::1","prefixlen":64,"scope":"global","nodad":true,"valid_life_time":4294967295,"preferred_life_time":4294967295}]}]'

const ROUTES_4 =
  '[{"dst":"default","gateway":"10.81.1.2","dev":"eth1","metric":100,"flags":[]},{"dst":"default","gateway":"10.81.2.2","dev":"eth2","metric":200,"flags":[]},{"dst":"10.81.1.0/24","dev":"eth1","protocol":"kernel","scope":"link","prefsrc":"10.81.1.1","flags":[]},{"dst":"10.81.2.0/24","dev":"eth2","protocol":"kernel","scope":"link","prefsrc":"10.81.2.1","flags":[]},{"type":"local","dst":"10.81.1.1","dev":"eth1","table":"local","protocol":"kernel","scope":"host","prefsrc":"10.81.1.1","flags":[]},{"type":"broadcast","dst":"10.81.1.255","dev":"eth1","table":"local","protocol":"kernel","scope":"link","prefsrc":"10.81.1.1","flags":[]}]'

const ROUTES_6 =
  '[{"dst":"fd81:1::/64","dev":"eth1","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"dst":"fd81:2::/64","dev":"eth2","protocol":"kernel","metric":256,"flags":[],"pref":"medium"},{"dst":"default","gateway":"fd81:1::2","dev":"eth1","metric":100,"flags":[],"pref":"medium"},{"dst":"default","gateway":"fd81:2::2","dev":"eth2","metric":200,"flags":[],"pref":"medium"},{"type":"local","dst":"fd81:1::1","dev":"eth1","table":"local","protocol":"kernel","metric":0,"flags":[],"pref":"medium"}]'

const RULES_4 =
  '[{"priority":0,"src":"all","table":"local"},{"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]'
const RULES_6 = '[{"priority":0,"src":"all","table":"local"},{"priority":32766,"src":"all","table":"main"}]'

/** Without a rule, whatever its source: by eth1. */
const FIRST_4 =
  '[{"dst":"10.81.9.1","from":"10.81.2.1","gateway":"10.81.1.2","dev":"eth1","flags":[],"uid":0,"cache":[]}]'
const FIRST_6 =
  '[{"dst":"fd81:9::1","from":"fd81:2::1","gateway":"fd81:1::2","dev":"eth1","prefsrc":"fd81:1::1","metric":100,"flags":[],"pref":"medium"}]'
const UNBOUND_4 =
  '[{"dst":"10.81.9.1","gateway":"10.81.1.2","dev":"eth1","prefsrc":"10.81.1.1","flags":[],"uid":0,"cache":[]}]'
const TO_ITSELF =
  '[{"type":"local","dst":"10.81.2.1","from":"10.81.1.1","dev":"lo","flags":[],"uid":0,"cache":["local"]}]'
const RULED_4 =
  '[{"priority":0,"src":"all","table":"local"},{"priority":32765,"src":"10.81.2.1","table":"101"},{"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}]'
const MENDED_4 =
  '[{"dst":"10.81.9.1","from":"10.81.2.1","gateway":"10.81.2.2","dev":"eth2","table":"101","flags":[],"uid":0,"cache":[]}]'

/** Answers by what they tell. */
interface IpSamples {
  readonly addresses: string
  readonly routes4: string
  readonly ruled4: string
  readonly first4: string
  readonly unbound4: string
  readonly toItself: string
  readonly mended4: string
}

export const IP_SAMPLES: IpSamples = {
  addresses: ADDRESSES,
  routes4: ROUTES_4,
  ruled4: RULED_4,
  first4: FIRST_4,
  unbound4: UNBOUND_4,
  toItself: TO_ITSELF,
  mended4: MENDED_4,
}

const ANSWERS: Readonly<Record<string, string>> = {
  'address show': ADDRESSES,
  '-4 route show table all': ROUTES_4,
  '-6 route show table all': ROUTES_6,
  '-4 rule show': RULES_4,
  '-6 rule show': RULES_6,
  '-4 route get 10.81.9.1 from 10.81.1.1': FIRST_4.replace('10.81.2.1', '10.81.1.1'),
  '-4 route get 10.81.9.1 from 10.81.2.1': FIRST_4,
  '-4 route get 10.81.9.1': UNBOUND_4,
  '-4 route get 10.81.2.1 from 10.81.1.1': TO_ITSELF,
  '-6 route get fd81:9::1 from fd81:2::1': FIRST_6,
}

/**
 * A Linux that gives these answers; `others` by the words after `ip -json` come first. What it has not heard of is
 * refused as by a kernel without a route, and a file that is not in `files` does not exist.
 */
export function sampleView(
  others: Readonly<Record<string, string>> = {},
  files: Readonly<Record<string, string>> = {},
): SystemView {
  return {
    platform: 'linux',
    ip: async ([json, ...words]) => {
      const asked = words.join(' ')
      const answer = others[asked] ?? ANSWERS[asked]
      if (json !== '-json' || answer === undefined)
        throw new Error('RTNETLINK answers: Network is unreachable')
      return answer
    },
    readText: async (file) => {
      const text = files[file]
      if (text === undefined) throw new Error('no such file')
      return text
    },
  }
}
