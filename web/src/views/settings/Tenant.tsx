import { Modal, Stack } from '@mantine/core'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { asProblem } from '../../api/problem'
import { get } from '../../api/queries'
import { useMay } from '../../app/session'
import type { Field } from '../../logic/fields'
import { needed } from '../../logic/roles'
import { Facts } from '../../parts/Facts'
import { FieldForm } from '../../parts/FieldForm'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { ifSeen, seen, type Seen } from '../../parts/seen'
import { Failed, Loaded } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { KeyValues } from './KeyValues'

type Said = Schema<'TenantOut'>

const fields: Field[] = [
  { at: 'name', label: 'Name', kind: 'text', required: true },
  { at: 'description', label: 'What it is', kind: 'long' },
  { at: 'contact_email', label: 'Whom to write to', kind: 'text', placeholder: 'platform@example.com' },
]

/** What the tenant says of itself, and settings by key. */
export function Tenant() {
  return (
    <Stack gap="md">
      <Itself />
      <KeyValues />
    </Stack>
  )
}

function Itself() {
  const tenant = useQuery(get('/api/v1/tenant'))
  const [editing, edit] = useState<Seen<Said>>()
  const why = useMay('settings.write') ? undefined : needed('settings.write')
  const touch = useTouch()
  const opening = useMutation({ mutationFn: () => seen<Said>(api.GET('/api/v1/tenant', {})), onSuccess: edit })
  return (
    <Section
      title="The tenant"
      aside={
        <MayButton size="compact-sm" why={why} loading={opening.isPending} onClick={() => opening.mutate()}>
          Change
        </MayButton>
      }
    >
      {opening.error && <Failed problem={asProblem(opening.error)} />}
      <Loaded query={tenant} rows={6}>
        {(found) => (
          <Facts
            facts={[
              ['Name', <Outside>{found.name}</Outside>],
              ['What it is', <Outside>{found.description}</Outside>],
              ['Whom to write to', <Outside>{found.contact_email}</Outside>],
              ['At login', <span className="mono">{found.slug}</span>],
              ['Tier', found.tier],
              ['State', found.is_active
                ? <Tone of="green">may be used</Tone>
                : <Tone of="red">switched off</Tone>],
              ['Made', <When at={found.created_at} />],
              found.created_by && ['Made by', <Outside>{found.created_by}</Outside>],
              ['Changed', <When at={found.updated_at} />],
              ['Id', <span className="mono">{found.id}</span>],
            ]}
          />
        )}
      </Loaded>
      <Modal opened={editing !== undefined} onClose={() => edit(undefined)} title="What the tenant says of itself">
        {editing && (
          <FieldForm
            fields={fields} known={editing.value} submit="Save" onCancel={() => edit(undefined)}
            onSubmit={async (body) => {
              await api.PUT('/api/v1/tenant', {
                params: { header: ifSeen(editing.tag) }, body: body as Schema<'TenantIn'>,
              })
              await touch('tenant')
              edit(undefined)
            }}
          />
        )}
      </Modal>
    </Section>
  )
}
