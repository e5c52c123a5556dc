import { Modal, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import type { Field } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { FieldForm } from '../../parts/FieldForm'
import { Kept } from '../../parts/Kept'
import { Outside } from '../../parts/Outside'
import type { PlainColumn } from '../../parts/PlainTable'
import { MayButton } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { TenantKeys } from './TenantKeys'

type Credential = Schema<'CredentialOut'>

const KINDS = [
  { value: 'ssh_key', label: 'SSH private key' },
  { value: 'password', label: 'Password' },
  { value: 'hmac', label: 'Secret webhooks are signed with' },
  { value: 'oidc', label: 'Client secret of an identity provider' },
]

const fields: Field[] = [
  { at: 'name', label: 'Name', kind: 'text', required: true },
  { at: 'kind', label: 'What it is', kind: 'choice', required: true, initial: 'ssh_key', options: KINDS },
  {
    at: 'key', also: 'secret',
    label: 'Private key', kind: 'code', required: true, shown: (draft) => draft.kind === 'ssh_key',
    help: 'In OpenSSH form, without a passphrase. It is sealed at once and cannot be read again.',
  },
  {
    at: 'secret', label: 'Secret', kind: 'secret', required: true, shown: (draft) => draft.kind !== 'ssh_key',
    help: 'It is sealed at once and cannot be read again.',
  },
]

const columns: PlainColumn<Credential>[] = [
  { name: 'Credential', cell: (one) => <Outside>{one.name}</Outside> },
  { name: 'What it is', cell: (one) => KINDS.find((kind) => kind.value === one.kind)?.label ?? one.kind },
  { name: 'Version', cell: (one) => one.version },
  { name: 'Since', cell: (one) => <When at={one.updated_at} none="–" /> },
]

/** A private key is several lines, the last of which ends, too: OpenSSH refuses it otherwise. */
const wholeLines = (key: unknown) => `${String(key).trim()}\n`

/** Credentials: written, replaced, never read. */
export function Credentials() {
  const all = useQuery(get('/api/v1/credentials'))
  const why = useMay('credentials.write') ? undefined : needed('credentials.write')
  const keys = useMay('keys.read')
  return (
    <Stack gap="md">
      <Kept
        title="Credentials" one="a credential" query={all} columns={columns} fields={fields} why={why}
        touched={['credentials']}
        about="Secrets are sealed as they come in. Nobody reads them again, here or elsewhere; they are only replaced."
        empty="Servers are reached with one." id={(one) => one.id} name={(one) => one.name}
        add={({ key, secret: given, name, kind }) => {
          const secret = key === undefined ? String(given) : wholeLines(key)
          return api.POST('/api/v1/credentials', { body: { name: String(name), kind: String(kind), secret } })
        }}
        more={(one) => <Replace credential={one} why={why} />}
        remove={{
          says: (one) => (
            <>
              The secret is destroyed, and nobody gets it back: not even an administrator. While a connection, a source
              or a channel uses <Outside>{one.name}</Outside>, it stays, and you are told which.
            </>
          ),
          act: (one) => api.DELETE('/api/v1/credentials/{id}', { params: { path: { id: one.id } } }),
        }}
      />
      {keys && <TenantKeys />}
    </Stack>
  )
}

function Replace({ credential, why }: { credential: Credential; why: string | undefined }) {
  const [opened, open] = useState(false)
  const touch = useTouch()
  const isKey = credential.kind === 'ssh_key'
  const field: Field = {
    at: 'secret', required: true, ...(isKey
      ? { label: 'New private key', kind: 'code', help: 'In OpenSSH form, without a passphrase.' }
      : { label: 'New secret', kind: 'secret' }),
  }
  return (
    <>
      <MayButton why={why} onClick={() => open(true)} aria-label={`Replace the secret of ${credential.name}`}>
        Replace secret
      </MayButton>
      <Modal opened={opened} onClose={() => open(false)} title={`Replace the secret of ${credential.name}`}>
        {opened && (
          <FieldForm
            fields={[field]} submit="Replace it" onCancel={() => open(false)}
            onSubmit={async ({ secret }) => {
              await api.PUT('/api/v1/credentials/{id}/secret', {
                params: { path: { id: credential.id } }, body: { secret: isKey ? wholeLines(secret) : String(secret) },
              })
              await touch('credentials', 'approvals')
              open(false)
            }}
          >
            {() => (
              <Text size="sm" component="div">
                The old one is used no more. Approvals of plans that use it are bound to version{' '}
                {credential.version} and count no longer: people are asked again when those changes would start.
              </Text>
            )}
          </FieldForm>
        )}
      </Modal>
    </>
  )
}
