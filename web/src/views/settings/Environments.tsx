import { Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import { useMay } from '../../app/session'
import type { Field } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { Kept } from '../../parts/Kept'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { ifSeen, seen } from '../../parts/seen'
import { Tone } from '../../parts/Tone'
import { useAll } from '../../parts/useAll'

type Environment = Schema<'EnvironmentOut'>

const path = (id: string) => ({ path: { id } })
const same = (value: string) => ({ value, label: value })

const fields: Field[] = [
  { at: 'name', label: 'Name', kind: 'text', required: true, placeholder: 'Shop, live in Frankfurt' },
  {
    at: 'slug', label: 'Slug', kind: 'text', required: true, placeholder: 'shop-live',
    help: 'Its name in selectors and policies.',
  },
  {
    at: 'class', label: 'Class', kind: 'choice', required: true, initial: 'dev',
    options: ['dev', 'test', 'staging', 'prod'].map(same), help: 'What policy and risk know of it.',
  },
  {
    at: 'cloud_provider', label: 'Whose cloud', kind: 'choice',
    options: ['azure', 'aws', 'gcp', 'ibm', 'kubernetes', 'host', 'other'].map(same),
  },
  { at: 'region', label: 'Region', kind: 'text' },
  { at: 'account_id', label: 'Account, project or subscription', kind: 'text' },
  { at: 'cluster_id', label: 'Kubernetes cluster', kind: 'text' },
  { at: 'namespace', label: 'Namespace', kind: 'text' },
  { at: 'argocd_project', label: 'Project in Argo CD', kind: 'text' },
  { at: 'grafana_org_id', label: 'Organisation in Grafana', kind: 'text' },
  { at: 'tags', label: 'Labels', kind: 'pairs', placeholder: 'team = payments' },
  { at: 'is_active', label: 'It is in use', kind: 'boolean', initial: true },
]

const columns: PlainColumn<Environment>[] = [
  {
    name: 'Environment',
    cell: (one) => <><Outside>{one.name}</Outside><Text size="xs" className="mono">{one.slug}</Text></>,
  },
  {
    name: 'Class',
    cell: (one) => <Tone of={one.class === 'prod' ? 'red' : 'gray'}>{one.class}</Tone>,
  },
  {
    name: 'Where',
    cell: (one) => {
      const where = [one.cloud_provider, one.region, one.account_id, one.cluster_id, one.namespace].filter(Boolean)
      return <Outside>{where.join(', ')}</Outside>
    },
  },
  {
    name: 'Labels',
    cell: (one) => {
      const labels = Object.entries(one.tags ?? {}).map(([key, value]) => `${key}=${value}`)
      return <Outside>{labels.join(', ')}</Outside>
    },
  },
  {
    name: 'State',
    cell: (one) => one.is_active === false
      ? <Tone of="gray">not in use</Tone>
      : 'in use',
  },
]

/** Environments: what belongs together, and how careful changes there have to be. */
export function Environments() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/environments', {}, 100)))
  const why = useMay('estate.write') ? undefined : needed('estate.write')
  return (
    <Kept
      title="Environments" one="an environment" query={all} columns={columns} fields={fields} why={why}
      about={<>
        Every resource is in one. Its class is what policy and risk go by. One that is not used any more is switched
        off: it stays, because the log names it.
      </>}
      empty="Resources need one to be in." touched={['environments', 'resources']}
      id={(one) => one.id} name={(one) => one.name}
      add={(body) => api.POST('/api/v1/environments', { body: body as Schema<'EnvironmentIn'> })}
      read={(one) => seen(api.GET('/api/v1/environments/{id}', { params: path(one.id) }))}
      replace={(one, body, tag) =>
        api.PUT('/api/v1/environments/{id}', {
          params: { ...path(one.id), header: ifSeen(tag) }, body: body as Schema<'EnvironmentIn'>,
        })}
    />
  )
}
