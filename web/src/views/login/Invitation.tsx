import { Alert, Anchor, Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useState, type FormEvent } from 'react'
import { api } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { tokenIn, tokenOf } from '../../logic/invitation'

/** The shortest password the server takes. */
const SHORTEST = 15
const FIELDS = ['/token', '/username', '/full_name', '/password']

/** Takes an invitation up: whoever was sent the link chooses a name and a password, and is signed in. */
export function Invitation() {
  const [token] = useState(() => tokenIn(window.location.hash))
  // What opens an account stays neither in the address nor in the history.
  useEffect(() => {
    document.title = 'Invitation · Countersign'
    if (window.location.hash) window.history.replaceState(window.history.state, '', window.location.pathname)
  }, [])
  return (
    <Stack component="main" align="center" justify="center" mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={440} bg="var(--card)">
        <Title order={1}>You are invited</Title>
        <Text size="sm" className="faint" mb="sm">
          Countersign decides, acts and proves what automation proposes. Choose how you sign in.
        </Text>
        <Form known={token} />
      </Paper>
    </Stack>
  )
}

function Form({ known }: { known: string | undefined }) {
  const [draft, setDraft] = useState({ link: '', username: '', fullName: '', password: '', again: '' })
  const { problem, busy, lacking, take } = useTaking(known)
  const differs = draft.again !== '' && draft.again !== draft.password
  const set = (name: keyof typeof draft) => (event: { currentTarget: { value: string } }) => {
    const { value } = event.currentTarget
    setDraft((now) => ({ ...now, [name]: value }))
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (draft.again === draft.password) void take(draft)
  }
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        {problem && <Refused problem={problem} />}
        {known === undefined && (
          <TextInput
            label="The link you were sent" value={draft.link} onChange={set('link')} required withAsterisk={false}
            autoComplete="off" error={lacking ? 'is no link of an invitation' : problem?.field('/token')}
          />
        )}
        <TextInput
          label="User name" description="Lower case letters, digits and . _ @ + -" value={draft.username} maxLength={50}
          onChange={set('username')} autoComplete="username" required withAsterisk={false} autoFocus
          error={problem?.field('/username')}
        />
        <TextInput
          label="What people call you" value={draft.fullName} onChange={set('fullName')} autoComplete="name" maxLength={100}
          error={problem?.field('/full_name')}
        />
        <PasswordInput
          label="Password" description={`${SHORTEST} characters or more; a sentence is fine.`} value={draft.password}
          onChange={set('password')} autoComplete="new-password" required withAsterisk={false}
          error={problem?.field('/password')}
        />
        <PasswordInput
          label="The password again" value={draft.again} onChange={set('again')} autoComplete="new-password" required
          withAsterisk={false} error={differs ? 'is not the same' : undefined}
        />
        <Button type="submit" loading={busy}>Take it up and sign in</Button>
        <Anchor component={Link} to="/" size="sm">I have an account already</Anchor>
      </Stack>
    </form>
  )
}

interface Draft {
  link: string
  username: string
  fullName: string
  password: string
}

/** Takes the invitation up, then signs in; what was taken up stays so when signing in fails. */
function useTaking(known: string | undefined) {
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  const [lacking, lack] = useState(false)
  const queries = useQueryClient()
  const navigate = useNavigate()

  const take = async ({ link, username, fullName, password }: Draft) => {
    const token = known ?? tokenOf(link)
    lack(token === undefined)
    setProblem(undefined)
    if (token === undefined) return
    setBusy(true)
    try {
      const { data } = await api.POST('/api/v1/invitations/accept', {
        body: { token, username, full_name: fullName.trim(), password },
      })
      if (!data) return
      // Whoever cannot be signed in now finds the way to sign in at the same place.
      await api.POST('/api/v1/login', { body: { tenant: data.tenant, username, password } }).catch(() => undefined)
      await queries.resetQueries()
      await navigate({ to: '/', replace: true })
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
    }
  }
  return { problem, busy, lacking, take }
}

/** What stands at no field. */
function Refused({ problem }: { problem: Problem }) {
  if (problem.errors.length > 0 && problem.errors.every((fault) => FIELDS.includes(fault.path))) return null
  return <Alert color="red" variant="light" role="alert" title={problem.title}>{problem.detail}</Alert>
}
