import { Modal, Text } from '@mantine/core'
import { useState } from 'react'
import { api, type Schema } from '../../api/client'
import type { Body, Field } from '../../logic/fields'
import { FieldForm } from '../../parts/FieldForm'
import { MayButton, Sure } from '../../parts/Sure'
import { useTouch } from '../../parts/useTouch'
import { Scope, type Breaker } from './BreakerScope'

const LONGEST_REASON = 500

const thresholds: Field[] = [
  {
    at: 'failure_threshold', label: 'Failures in a row that open it', kind: 'number', required: true, min: 1,
    initial: 5,
  },
  {
    at: 'success_threshold', label: 'Successes on trial that close it', kind: 'number', required: true, min: 1,
    initial: 3,
  },
  {
    at: 'reset_timeout_seconds', label: 'Seconds until it is tried again', kind: 'number', required: true, min: 1,
    initial: 300, help: 'The first time; it doubles after each failed trial, up to an hour.',
  },
]

const scopes: Field[] = [
  {
    at: 'scope', label: 'What it is about', kind: 'choice', required: true, initial: 'resource', options: [
      { value: 'runbook', label: 'A runbook' },
      { value: 'resource', label: 'A resource' },
      { value: 'tool', label: 'An action' },
      { value: 'global', label: 'Everything' },
    ],
  },
  {
    at: 'runbook', label: 'Which', kind: 'thing', of: 'runbook', required: true,
    shown: (draft) => draft.scope === 'runbook',
  },
  {
    at: 'resource', label: 'Which', kind: 'thing', of: 'resource', required: true,
    shown: (draft) => draft.scope === 'resource',
  },
  {
    at: 'tool', label: 'Which', kind: 'text', required: true, placeholder: 'host.shell',
    shown: (draft) => draft.scope === 'tool',
  },
]

/** The name of a breaker and its settings, from one form. */
function split({ scope, runbook, resource, tool, ...settings }: Body) {
  const path = { scope: String(scope), scope_id: String(runbook ?? resource ?? tool ?? 'global') }
  return { path, body: settings as Schema<'BreakerSettingsIn'> }
}

const reason = { label: 'Why', help: 'It stands in the log, and with the breaker.', most: LONGEST_REASON }

/** What can be done with a breaker by hand. */
export function BreakerActions({ breaker, why }: { breaker: Breaker; why: string | undefined }) {
  const [setting, set] = useState(false)
  const touch = useTouch()
  const path = { scope: breaker.scope, scope_id: breaker.scope_id }
  const name = `${breaker.scope} ${breaker.scope_id}`
  const turn = async (way: 'open' | 'close', said: string) => {
    const init = { params: { path }, body: { reason: said } }
    if (way === 'open') await api.POST('/api/v1/circuit-breakers/{scope}/{scope_id}/open', init)
    else await api.POST('/api/v1/circuit-breakers/{scope}/{scope_id}/close', init)
    await touch('circuit-breakers', 'dashboard', 'executions')
  }
  const held = breaker.state === 'open' && breaker.manual_reason
  return (
    <>
      {!held && (
        <Sure
          label="Open" title="Open this breaker?" why={why} color="red" reason={reason}
          button={{ 'aria-label': `Open the breaker of ${name}` }}
          act={(said) => turn('open', said)}
        >
          Nothing of <Scope breaker={breaker} /> starts until somebody closes it. What runs now goes on.
        </Sure>
      )}
      {breaker.state !== 'closed' && (
        <Sure
          label="Close" title="Close this breaker?" why={why} color="red" reason={reason}
          button={{ 'aria-label': `Close the breaker of ${name}` }}
          act={(said) => turn('close', said)}
        >
          This overrides the breaker: changes of <Scope breaker={breaker} /> that wait for it may start at once,
          although it opened{breaker.manual_reason ? ' by hand' : ' after failures'}. Each still passes policy, windows,
          limits and approvals.
        </Sure>
      )}
      <MayButton why={why} onClick={() => set(true)} aria-label={`Thresholds of ${name}`}>Thresholds</MayButton>
      <Modal opened={setting} onClose={() => set(false)} title="When it opens and closes">
        {setting && (
          <FieldForm
            fields={thresholds} known={breaker} submit="Save" onCancel={() => set(false)}
            onSubmit={async (body) => {
              await api.PUT('/api/v1/circuit-breakers/{scope}/{scope_id}', {
                params: { path }, body: body as Schema<'BreakerSettingsIn'>,
              })
              await touch('circuit-breakers')
              set(false)
            }}
          />
        )}
      </Modal>
    </>
  )
}

/** Sets up a breaker of something that has none, closed. */
export function NewBreaker({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const touch = useTouch()
  return (
    <Modal opened={opened} onClose={onClose} title="Set up a breaker">
      {opened && (
        <FieldForm
          fields={[...scopes, ...thresholds]} submit="Set it up" onCancel={onClose}
          onSubmit={async (given) => {
            const { path, body } = split(given)
            await api.PUT('/api/v1/circuit-breakers/{scope}/{scope_id}', { params: { path }, body })
            await touch('circuit-breakers', 'dashboard')
            onClose()
          }}
        >
          {() => (
            <Text size="sm" className="faint">
              It is closed at first: changes start until they fail as often as this says.
            </Text>
          )}
        </FieldForm>
      )}
    </Modal>
  )
}
