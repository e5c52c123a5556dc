import { Stack, Text } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { api, type Schema } from '../../api/client'
import { get, pages } from '../../api/queries'
import type { Field, Option } from '../../logic/fields'
import { Kept } from '../../parts/Kept'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { ifSeen, seen } from '../../parts/seen'
import { Tone } from '../../parts/Tone'
import { useAll } from '../../parts/useAll'

type Provider = Schema<'OidcProviderOut'>

const path = (id: string) => ({ path: { id } })

const fields = (secrets: Option[]): Field[] => [
  {
    at: 'name', label: 'Name in addresses', kind: 'text', required: true, once: true, placeholder: 'corporate',
    help: 'Lower case letters, digits and dashes. It stays.',
  },
  {
    at: 'display_name', label: 'What people call it', kind: 'text', required: true, placeholder: 'Example Corporation',
  },
  {
    at: 'issuer', label: 'Issuer', kind: 'text', required: true, placeholder: 'https://login.example.com/realms/staff',
    help: 'To the letter, as its configuration says.',
  },
  { at: 'client_id', label: 'Client id', kind: 'text', required: true, initial: 'countersign' },
  {
    at: 'credential_id', label: 'Client secret', kind: 'choice', options: secrets,
    help: 'A credential of kind oidc, kept under Credentials. None for a public client.',
  },
  {
    at: 'redirect_uri', label: 'Redirect address', kind: 'text', required: true,
    help: 'Where it sends people back to; the provider must know it, too.',
    suggest: (draft) => draft.name ? `${window.location.origin}/api/v1/auth/oidc/${String(draft.name)}/callback` : '',
  },
  {
    at: 'scopes', label: 'Scopes', kind: 'list', required: true, initial: ['openid', 'email', 'profile'],
    help: 'openid must be among them.',
  },
  {
    at: 'group_claim', label: 'Claim that names groups', kind: 'text', required: true, initial: 'groups',
    help: 'With a slash in front it is a JSON pointer.',
  },
  {
    at: 'role_mapping', label: 'Roles of each group', kind: 'map',
    placeholder: 'sre = operator, approver\nstaff = viewer',
    help: 'Whoever is in none of these groups does not get in.',
  },
  {
    at: 'unknown_users', label: 'Somebody who is not known here yet', kind: 'choice', required: true, initial: 'create',
    options: [
      { value: 'create', label: 'becomes a new user' },
      { value: 'link', label: 'becomes the user with their verified address, or else a new one' },
      { value: 'refuse', label: 'does not get in' },
    ],
  },
  { at: 'is_active', label: 'People get in through it', kind: 'boolean', initial: true },
]

const columns: PlainColumn<Provider>[] = [
  {
    name: 'Provider',
    cell: (one) => <><Outside>{one.display_name}</Outside><Text size="xs" className="mono">{one.name}</Text></>,
  },
  { name: 'Issuer', cell: (one) => <Outside mono>{one.issuer}</Outside> },
  { name: 'Groups', cell: (one) => <Groups mapping={one.role_mapping} /> },
  {
    name: 'State',
    cell: (one) => one.is_active
      ? <Tone of="green">people get in</Tone>
      : <Tone of="gray">switched off</Tone>,
  },
]

function Groups({ mapping }: { mapping: Record<string, unknown> }) {
  const entries = Object.entries(mapping)
  if (entries.length === 0) return <span className="faint">none: nobody gets in</span>
  return (
    <Stack gap={2}>
      {entries.map(([group, roles]) => (
        <Text size="xs" key={group} component="div">
          <Outside>{group}</Outside>: {Array.isArray(roles) ? roles.map(String).join(', ') : '–'}
        </Text>
      ))}
    </Stack>
  )
}

/** Identity providers people sign in through: OpenID Connect. */
export function Oidc() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/oidc-providers', {}, 100)))
  const credentials = useQuery(get('/api/v1/credentials')).data
  const form = useMemo(() => {
    const secrets = (credentials ?? []).filter((one) => one.kind === 'oidc')
    return fields(secrets.map((one) => ({ value: one.id, label: one.name })))
  }, [credentials])
  return (
    <Kept
      title="Identity providers" one="a provider" query={all} columns={columns} fields={form} why={undefined}
      about="People sign in there. Their groups there say what they may do here, anew at each login."
      empty="People sign in with a name and a password." touched={['oidc-providers', 'auth']}
      id={(one) => one.id} name={(one) => one.display_name}
      add={(body) => api.POST('/api/v1/oidc-providers', { body: body as Schema<'OidcProviderIn'> })}
      read={(one) => seen(api.GET('/api/v1/oidc-providers/{id}', { params: path(one.id) }))}
      replace={(one, body, tag) =>
        api.PUT('/api/v1/oidc-providers/{id}', {
          params: { ...path(one.id), header: ifSeen(tag) }, body: body as Schema<'OidcProviderIn'>,
        })}
      remove={{
        says: () => 'Nobody signs in through it any more. Who came through it stays a user, who has no password.',
        act: (one) => api.DELETE('/api/v1/oidc-providers/{id}', { params: path(one.id) }),
      }}
    />
  )
}
