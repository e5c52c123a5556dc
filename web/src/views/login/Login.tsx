import { Alert, Anchor, Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { api } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { get } from '../../api/queries'

/** Signing in, by password or through an identity provider. */
export function Login({ onDone }: { onDone: () => void }) {
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [tenant, setTenant] = useState('default')
  const [asksTenant, askTenant] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)
  const ways = useQuery({ ...get('/api/v1/auth/oidc', { params: { query: { tenant } } }), retry: false })

  const enter = async (event: FormEvent) => {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      await api.POST('/api/v1/login', { body: { tenant, username, password } })
      onDone()
    } catch (error) {
      setProblem(asProblem(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <Stack component="main" align="center" justify="center" mih="100dvh" p="md">
      <Paper withBorder p="xl" w="100%" maw={400} bg="var(--card)">
        <form onSubmit={(event) => void enter(event)}>
          <Stack gap="sm">
            <Title order={1}>Countersign</Title>
            <Text size="sm" className="faint">Automation proposes. Countersign decides, acts and proves.</Text>
            {problem && <Alert color="red" variant="light" role="alert">{problem.detail || problem.title}</Alert>}
            {asksTenant && (
              <TextInput label="Tenant" value={tenant} onChange={(event) => setTenant(event.currentTarget.value)} required />
            )}
            <TextInput
              label="User name" value={username} autoComplete="username" required withAsterisk={false} data-autofocus autoFocus
              onChange={(event) => setUsername(event.currentTarget.value)}
            />
            <PasswordInput
              label="Password" value={password} autoComplete="current-password" required withAsterisk={false}
              onChange={(event) => setPassword(event.currentTarget.value)}
            />
            <Button type="submit" loading={busy}>Sign in</Button>
            {(ways.data ?? []).map((way) => (
              <Button key={way.name} variant="default" component="a" href={way.start}>Sign in with {way.display_name}</Button>
            ))}
            {!asksTenant && (
              <Anchor component="button" type="button" size="sm" onClick={() => askTenant(true)}>Another tenant</Anchor>
            )}
          </Stack>
        </form>
      </Paper>
    </Stack>
  )
}
