import { Anchor, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { api } from '../../api/client'
import { Loaded } from '../../parts/State'
import { Act } from './Act'
import { useDemoEstate, type DemoEstate } from './demoEstate'

/** Hosts: the demo's, which this server brought up, or one's own. */
export function AddEstate() {
  const estate = useDemoEstate()
  return (
    <Loaded query={estate}>
      {(estate) =>
        estate ? (
          <Act label="Add the demo's hosts" act={() => add(estate)}>
            This server was started with a demo: {estate.hosts.length} hosts on this machine, each reached over SSH, each with a
            small web shop. Adding them makes an environment “{estate.environment.name}”, the hosts{' '}
            {estate.hosts.map((host) => host.name).join(', ')}, a sealed login for each, and pins their host keys.
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

/** The same calls a person would make for hosts of their own. */
async function add(estate: DemoEstate): Promise<void> {
  const { data: environment } = await api.POST('/api/v1/environments', { body: estate.environment })
  if (!environment) return
  for (const host of estate.hosts) {
    const { data: resource } = await api.POST('/api/v1/resources', {
      body: { ...host.resource, environment_id: environment.id },
    })
    const { data: credential } = await api.POST('/api/v1/credentials', {
      body: { name: `login of ${host.name}`, kind: 'ssh_key', secret: host.login_key },
    })
    if (!resource || !credential) return
    const { data: connection } = await api.POST('/api/v1/resources/{id}/connections', {
      params: { path: { id: resource.id } },
      body: {
        host: host.host, port: host.port, username: host.username, guard_dir: host.guard_dir, credential_id: credential.id,
      },
    })
    if (!connection) return
    await api.POST('/api/v1/connections/{id}/host-keys', {
      params: { path: { id: connection.id } },
      body: { public_key: host.host_key },
    })
  }
}
