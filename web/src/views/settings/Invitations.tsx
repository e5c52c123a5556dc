import { Modal, Stack, Text } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import { pages } from '../../api/queries'
import type { Field } from '../../logic/fields'
import { linkOf } from '../../logic/invitation'
import { ActorName } from '../../parts/ActorName'
import { FieldForm } from '../../parts/FieldForm'
import { Outside } from '../../parts/Outside'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { ShownOnce } from '../../parts/ShownOnce'
import { Empty, Loaded } from '../../parts/State'
import { MayButton, Sure } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useAll } from '../../parts/useAll'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { roleField } from './roleField'

type Invitation = Schema<'InvitationOut'>

const fields: Field[] = [
  {
    at: 'email', label: 'Address', kind: 'text', required: true,
    help: 'It becomes theirs. Nothing is sent by this: you give them what is shown.',
  },
  { ...roleField, initial: ['viewer'] },
  { at: 'hours', label: 'Counts for how many hours', kind: 'number', required: true, min: 1, max: 336, initial: 72 },
]

function State({ invitation }: { invitation: Invitation }) {
  if (invitation.accepted_at) return <>taken up <When at={invitation.accepted_at} /></>
  if (invitation.revoked_at) return <>taken back <When at={invitation.revoked_at} /></>
  if (Date.parse(invitation.expires_at) <= Date.now()) return <>ended <When at={invitation.expires_at} /></>
  return <><Tone of="yellow">open</Tone> ends <When at={invitation.expires_at} /></>
}

const columns: PlainColumn<Invitation>[] = [
  { name: 'To', cell: (one) => <Outside>{one.email}</Outside> },
  { name: 'Roles', cell: (one) => one.roles.join(', ') || 'none' },
  { name: 'State', cell: (one) => <State invitation={one} /> },
  { name: 'By', cell: (one) => <ActorName id={one.invited_by} /> },
  { name: 'Actions', cell: (one) => <TakeBack invitation={one} /> },
]

function TakeBack({ invitation }: { invitation: Invitation }) {
  const touch = useTouch()
  if (invitation.accepted_at || invitation.revoked_at) return null
  return (
    <Sure
      label="Take back" title="Take this invitation back?" color="red"
      button={{ 'aria-label': `Take back the invitation of ${invitation.email}` }}
      act={() =>
        api.DELETE('/api/v1/invitations/{id}', { params: { path: { id: invitation.id } } })
          .then(() => touch('invitations'))}
    >
      What was sent to <Outside>{invitation.email}</Outside> is of no use any more.
    </Sure>
  )
}

/** Invitations: a user that somebody makes for themselves, with the roles given here. */
export function Invitations() {
  const all = useAll(useInfiniteQuery(pages('/api/v1/invitations', {}, 100)))
  const [inviting, invite] = useState(false)
  const [made, tell] = useState<Schema<'InvitationMade'>>()
  const touch = useTouch()
  return (
    <Section
      title="Invitations" aside={<MayButton size="compact-sm" onClick={() => invite(true)}>Invite somebody</MayButton>}
    >
      <Stack gap="xs">
        <Text size="sm" className="faint">
          Whoever is invited chooses their own name and password; no password passes through your hands.
        </Text>
        {made && <Made token={made.token} onDone={() => tell(undefined)} />}
        <Loaded query={all} rows={2}>
          {(rows) => rows.length === 0
            ? <Empty title="Nobody was invited" />
            : <PlainTable label="Invitations" columns={columns} rows={rows} id={(one) => one.id} />}
        </Loaded>
      </Stack>
      <Modal opened={inviting} onClose={() => invite(false)} title="Invite somebody">
        {inviting && (
          <FieldForm
            fields={fields} submit="Invite" onCancel={() => invite(false)}
            onSubmit={async (body) => {
              const { data } = await api.POST('/api/v1/invitations', { body: body as Schema<'InvitationIn'> })
              await touch('invitations')
              tell(data)
              invite(false)
            }}
          />
        )}
      </Modal>
    </Section>
  )
}

/** The link the invited person opens. */
function Made({ token, onDone }: { token: string; onDone: () => void }) {
  return (
    <ShownOnce what="The link" value={linkOf(window.location.origin, token)} onDone={onDone}>
      Give it to them by a way nobody else reads. Whoever opens it first chooses the name and the password.
    </ShownOnce>
  )
}
