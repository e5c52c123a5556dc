import { Alert, Anchor, Modal, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import type { Body, Field } from '../../logic/fields'
import { FieldForm } from '../../parts/FieldForm'
import { useTouch } from '../../parts/useTouch'

const DAY_MS = 86_400_000
const USUAL_DAYS = 30

const fields = (now: number): Field[] => [
  {
    at: 'of', label: 'For what', kind: 'choice', required: true, initial: 'finding', options: [
      { value: 'finding', label: 'A finding that is to stand' },
      { value: 'other', label: 'A provider’s policy that is to be broken' },
    ],
  },
  {
    at: 'finding_id', label: 'Finding', kind: 'thing', of: 'finding', required: true,
    shown: (draft) => draft.of === 'finding',
  },
  {
    at: 'policy_id', label: 'Policy', kind: 'thing', of: 'provider_policy', help: 'Any policy when none is named.',
    shown: (draft) => draft.of === 'other',
  },
  {
    at: 'resource_id', label: 'Resource', kind: 'thing', of: 'resource', help: 'Every resource when none is named.',
    shown: (draft) => draft.of === 'other',
  },
  { at: 'reason', label: 'Why', kind: 'long', required: true },
  {
    at: 'expires_at', label: 'Ends', kind: 'moment', required: true, help: 'On your clocks. At most a year from now.',
    initial: new Date(now + USUAL_DAYS * DAY_MS).toISOString(),
  },
  {
    at: 'recertify_at', label: 'Look at it again', kind: 'moment', shown: (draft) => draft.of === 'other',
    help: 'When somebody must see whether it is still right; not after its end.',
  },
]

/** Asks for an exception, of a finding or of a provider's policy: somebody else has to approve it. */
export function AskException({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const [asked, tell] = useState<Schema<'ExceptionAskedOut'>>()
  const close = () => {
    tell(undefined)
    onClose()
  }
  return (
    <Modal opened={opened} onClose={close} title="Ask for an exception" size="lg">
      {opened && (asked ? <Asked asked={asked} /> : <Form onAsked={tell} onClose={close} />)}
    </Modal>
  )
}

function Form({ onAsked, onClose }: { onAsked: (asked: Schema<'ExceptionAskedOut'>) => void; onClose: () => void }) {
  const [all] = useState(() => fields(Date.now()))
  const touch = useTouch()
  const ask = async ({ of, finding_id: id, ...body }: Body) => {
    if (of === 'finding') {
      const { data } = await api.POST('/api/v1/findings/{id}/accept', {
        params: { path: { id: String(id) } }, body: body as Schema<'FindingAcceptIn'>,
      })
      if (data) onAsked(data)
    } else {
      const { data } = await api.POST('/api/v1/exceptions', { body: body as Schema<'ExceptionIn'> })
      if (data) onAsked(data)
    }
    await touch('exceptions', 'approvals', 'findings', 'dashboard')
  }
  return (
    <FieldForm fields={all} submit="Ask for it" onSubmit={ask} onCancel={onClose}>
      {(draft) => (
        <Text size="sm" className="faint">
          {draft.of === 'finding'
            ? 'Somebody else is asked to approve it. Until then the finding stays open; when it ends it is open again.'
            : 'Somebody else is asked to approve it. While it holds, what breaks the policy there counts as accepted; ' +
              'when it ends, that is open again.'}
        </Text>
      )}
    </FieldForm>
  )
}

function Asked({ asked }: { asked: Schema<'ExceptionAskedOut'> }) {
  if (!asked.approval_id) {
    return (
      <Alert color="red" variant="light">The gate refuses it: nobody is asked, and everything stays as it is.</Alert>
    )
  }
  return (
    <Alert color="green" variant="light">
      It waits for the vote of somebody else.{' '}
      <Anchor component={Link} to={`/approvals/${asked.approval_id}`}>The request</Anchor>
    </Alert>
  )
}
