import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client'
import type { DemoEstate } from './demoEstate'
import type { Standing } from './progress'

type Host = DemoEstate['hosts'][number]

/** A key without what was written behind it. */
const bare = (key: string) => key.trim().split(/\s+/).slice(0, 2).join(' ')

async function environmentOf({ environment: { slug } }: DemoEstate, signal?: AbortSignal): Promise<string | undefined> {
  const query = { slug: [slug], limit: 1 }
  const { data } = await api.GET('/api/v1/environments', { params: { query }, signal })
  return data?.items[0]?.id
}

async function resourceOf(host: Host, environment: string, signal?: AbortSignal): Promise<string | undefined> {
  const query = { environment_id: [environment], name: [host.resource.name], limit: 1 }
  const { data } = await api.GET('/api/v1/resources', { params: { query }, signal })
  return data?.items[0]?.id
}

async function connectionOf(id: string, signal?: AbortSignal): Promise<string | undefined> {
  const { data } = await api.GET('/api/v1/resources/{id}/connections', { params: { path: { id } }, signal })
  return data?.[0]?.id
}

async function pinned(id: string, host: Host, signal?: AbortSignal): Promise<boolean> {
  const { data } = await api.GET('/api/v1/connections/{id}/host-keys', { params: { path: { id } }, signal })
  return data?.some((key) => bare(key.public_key) === bare(host.host_key)) ?? false
}

async function credentialOf(host: Host): Promise<string | undefined> {
  const name = `login of ${host.name}`
  const known = (await api.GET('/api/v1/credentials', {})).data?.find((one) => one.name === name)
  if (known) return known.id
  const body = { name, kind: 'ssh_key' as const, secret: host.login_key }
  return (await api.POST('/api/v1/credentials', { body })).data?.id
}

/** How far the demo's hosts are there: each with its connection and its pinned key. */
async function standingOf(estate: DemoEstate, signal: AbortSignal): Promise<Standing> {
  const standing = { wanted: estate.hosts.length, begun: 0, whole: 0 }
  const environment = await environmentOf(estate, signal)
  if (!environment) return standing
  for (const host of estate.hosts) {
    const resource = await resourceOf(host, environment, signal)
    if (!resource) continue
    standing.begun += 1
    const connection = await connectionOf(resource, signal)
    if (connection && (await pinned(connection, host, signal))) standing.whole += 1
  }
  return standing
}

/** The same, followed; `null` where there is no demo. */
export function useDemoHosts(estate: DemoEstate | null | undefined) {
  return useQuery({
    queryKey: ['/api/v1/resources', 'of the demo', estate?.hosts.map((host) => host.name)] as const,
    enabled: estate !== undefined,
    queryFn: ({ signal }) => (estate ? standingOf(estate, signal) : null),
  })
}

/** The same calls a person would make for hosts of their own; what an earlier try made is taken as it is. */
export async function addHosts(estate: DemoEstate): Promise<void> {
  const environment = (await environmentOf(estate)) ??
    (await api.POST('/api/v1/environments', { body: estate.environment })).data?.id
  if (!environment) throw new Error('The server made no environment.')
  for (const host of estate.hosts) await addHost(host, environment)
}

async function addHost(host: Host, environment_id: string): Promise<void> {
  const resource = (await resourceOf(host, environment_id)) ??
    (await api.POST('/api/v1/resources', { body: { ...host.resource, environment_id } })).data?.id
  if (!resource) throw new Error(`The server made no resource for ${host.name}.`)
  const connection = (await connectionOf(resource)) ?? (await connect(host, resource))
  if (!connection) throw new Error(`The server made no connection to ${host.name}.`)
  if (await pinned(connection, host)) return
  await api.POST('/api/v1/connections/{id}/host-keys', {
    params: { path: { id: connection } }, body: { public_key: host.host_key },
  })
}

async function connect(at: Host, resource: string): Promise<string | undefined> {
  const credential_id = await credentialOf(at)
  if (!credential_id) throw new Error(`The server kept no login of ${at.name}.`)
  const { host, port, username, guard_dir } = at
  const { data } = await api.POST('/api/v1/resources/{id}/connections', {
    params: { path: { id: resource } }, body: { host, port, username, guard_dir, credential_id },
  })
  return data?.id
}
