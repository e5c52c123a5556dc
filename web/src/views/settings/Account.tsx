import { Group, Stack } from '@mantine/core'
import { useAccount } from '../../app/session'
import { Facts } from '../../parts/Facts'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Tone } from '../../parts/Tone'
import { OwnKeys } from './OwnKeys'
import { OwnSessions } from './OwnSessions'
import { Password } from './Password'
import { SecondFactor } from './SecondFactor'

/** Whoever is signed in: who they are, and what is theirs. */
export function Account() {
  const account = useAccount()
  return (
    <Stack gap="md">
      <Section title="Who you are">
        <Facts
          facts={[
            ['Name', <Outside>{account.display_name}</Outside>],
            ['Roles', account.roles.length === 0 ? 'none' : (
              <Group gap={4}>
                {account.roles.map((role) => <Tone key={role} of="teal">{role}</Tone>)}
              </Group>
            )],
            ['In the log', <span className="mono">{account.actor_id}</span>],
            ['Tenant', <span className="mono">{account.tenant_id}</span>],
          ]}
        />
      </Section>
      <Password />
      <SecondFactor />
      <OwnSessions />
      <OwnKeys />
    </Stack>
  )
}
