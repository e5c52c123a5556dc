import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { Loaded } from '../../parts/State'
import { Act } from './Act'
import { useDemoEstate } from './demoEstate'
import { addHosts } from './demoHosts'

/** Hosts: the demo's, which this server brought up, or one's own. */
export function AddEstate() {
  const estate = useDemoEstate()
  return (
    <Loaded query={estate}>
      {(estate) =>
        estate ? (
          <Act label="Add the demo's hosts" act={() => addHosts(estate)}>
            This server was started with a demo: {estate.hosts.length} hosts on this machine, each reached over SSH, each with a
            small web shop. Adding them makes an environment “{estate.environment.name}”, the hosts{' '}
            {estate.hosts.map((host) => host.name).join(', ')}, a sealed login for each, and pins their host
            keys. What is there already stays as it is.
          </Act>
        ) : (
          <Text size="sm" mt="xs" maw={680}>
            This server was started without the demo's hosts (<code>countersign serve --demo-estate</code>). Add a host of your
            own: an environment and a connection in <Anchor component={Link} to="/settings?tab=environments">Settings</Anchor>, or{' '}
            <code>countersign server add web-1 --host 10.0.0.11 --user deploy --environment prod --ssh-key ~/.ssh/id_ed25519 --scan</code>.
          </Text>
        )
      }
    </Loaded>
  )
}
