import { Button, PasswordInput } from '@mantine/core'
import { useState } from 'react'
import { api } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { Door } from './Door'

/** The shortest password the server takes. */
const SHORTEST = 15

/** A one-time password must be changed before anything else. */
export function NewPassword({ onDone }: { onDone: () => void }) {
  const [current, setCurrent] = useState('')
  const [wanted, setWanted] = useState('')
  const [again, setAgain] = useState('')
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  const differs = again !== '' && again !== wanted

  const change = async () => {
    if (differs) return
    setBusy(true)
    setProblem(undefined)
    try {
      await api.POST('/api/v1/account/password', { body: { current_password: current, new_password: wanted } })
      onDone()
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <Door
      title="A password of your own"
      about={`The one you came with was for once. ${SHORTEST} characters or more; a sentence is fine.`}
      problem={problem} fields={['/current_password', '/new_password']} onSubmit={() => void change()}
    >
      <PasswordInput
        label="The present one" value={current} autoComplete="current-password" required withAsterisk={false} autoFocus
        onChange={(event) => setCurrent(event.currentTarget.value)} error={problem?.field('/current_password')}
      />
      <PasswordInput
        label="The new one" value={wanted} autoComplete="new-password" required withAsterisk={false} minLength={SHORTEST}
        onChange={(event) => setWanted(event.currentTarget.value)} error={problem?.field('/new_password')}
      />
      <PasswordInput
        label="The new one again" value={again} autoComplete="new-password" required withAsterisk={false}
        onChange={(event) => setAgain(event.currentTarget.value)} error={differs ? 'is not the same' : undefined}
      />
      <Button type="submit" loading={busy}>Set it</Button>
    </Door>
  )
}
