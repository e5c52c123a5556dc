import { Alert, Group, Modal, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import { get } from '../../api/queries'
import type { Field } from '../../logic/fields'
import { FieldForm } from '../../parts/FieldForm'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { MayButton } from '../../parts/Sure'
import { Tone } from '../../parts/Tone'
import { useTouch } from '../../parts/useTouch'
import { When } from '../../parts/When'
import { SetUpFactor } from './SetUpFactor'

const code: Field[] = [
  { at: 'code', label: 'Code', kind: 'text', required: true, help: 'What your app shows now, or a recovery code.' },
]

/** One's second factor: whether it is there, set up, taken away. */
export function SecondFactor() {
  const factor = useQuery(get('/api/v1/account/second-factor'))
  const [doing, start] = useState<'set up' | 'remove'>()
  const touch = useTouch()
  const done = () => start(undefined)
  return (
    <Section
      title="Second factor"
      aside={factor.data && (factor.data.state === 'confirmed'
        ? <MayButton size="compact-sm" onClick={() => start('remove')}>Remove it</MayButton>
        : <MayButton size="compact-sm" onClick={() => start('set up')}>Set one up</MayButton>)}
    >
      <Loaded query={factor} rows={2}>
        {({ state, confirmed_at: since, recovery_codes_left: left }) => state === 'confirmed' ? (
          <>
            <Group gap="xs">
              <Tone of="green">counts</Tone>
              <Text size="sm">since <When at={since} />; {left} recovery {left === 1 ? 'code' : 'codes'} left.</Text>
            </Group>
            {left < 3 && (
              <Alert color="yellow" variant="light" mt="xs">
                For new recovery codes remove the second factor and set it up again.
              </Alert>
            )}
          </>
        ) : (
          <Text size="sm">
            {state === 'unconfirmed' ? 'One was begun and never confirmed: it does not count.' : 'You have none.'}{' '}
            <span className="faint">
              A code of an app on your phone, asked for when you approve what is critical, or what your tenant says.
            </span>
          </Text>
        )}
      </Loaded>
      <SetUpFactor opened={doing === 'set up'} onClose={done} />
      <Modal opened={doing === 'remove'} onClose={done} title="Remove your second factor?">
        {doing === 'remove' && (
          <FieldForm
            fields={code} submit="Remove it" onCancel={done}
            onSubmit={async (body) => {
              await api.POST('/api/v1/account/second-factor/remove', { body: { code: String(body.code) } })
              await touch('account')
              done()
            }}
          >
            {() => <Text size="sm">You cannot approve any more what asks for one, until you set up another.</Text>}
          </FieldForm>
        )}
      </Modal>
    </Section>
  )
}
