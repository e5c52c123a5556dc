import { Anchor, Button, Group, PasswordInput, Text, TextInput } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import { asProblem, type Problem } from '../../api/problem'
import { get } from '../../api/queries'
import { shown } from '../../logic/visible'
import { Door } from './Door'

/** Asked of a tenant once its name is typed, and not of every beginning of it. */
const REST_MS = 400

/** Signing in, by password or through an identity provider. */
export function Login({ onDone }: { onDone: () => void }) {
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [tenant, setTenant] = useState('default')
  const [asksTenant, askTenant] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const [busy, setBusy] = useState(false)

  const enter = async () => {
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
    <Door
      title="Countersign" about="Automation proposes. Countersign decides, acts and proves." problem={problem}
      onSubmit={() => void enter()}
    >
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
      <Ways tenant={tenant} />
      {!asksTenant && (
        <Anchor component="button" type="button" size="sm" onClick={() => askTenant(true)}>Another tenant</Anchor>
      )}
    </Door>
  )
}

/** The identity providers of a tenant. */
function Ways({ tenant }: { tenant: string }) {
  const [asked] = useDebouncedValue(tenant.trim(), REST_MS)
  const ways = useQuery({
    ...get('/api/v1/auth/oidc', { params: { query: { tenant: asked } } }), enabled: asked !== '', retry: false,
  })
  if (ways.error && !ways.data) {
    const { title } = asProblem(ways.error)
    return (
      <Group gap="xs" role="status">
        <Text size="sm">Whether there are other ways to sign in is not known: {title}.</Text>
        <Button size="compact-sm" variant="default" onClick={() => void ways.refetch()}>Ask again</Button>
      </Group>
    )
  }
  // Those of a name that is still being typed are another tenant's.
  if (asked !== tenant.trim()) return null
  return (ways.data ?? []).map((way) => (
    <Button key={way.name} variant="default" component="a" href={way.start}>Sign in with {shown(way.display_name)}</Button>
  ))
}
