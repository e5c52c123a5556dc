import { Anchor, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { Status } from '../../parts/Marks'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { Fact, Facts } from './Bits'

/** The provider's policy that a violation breaks. */
export function Violation({ id }: { id: string }) {
  const detail = useQuery(get('/api/v1/findings/{id}/detail', { params: { path: { id } } }))
  return (
    <Section title="What is broken">
      <Loaded query={detail} rows={2}>{({ violation }) => {
        const { policy_id: policy, exception_id: exception } = violation ?? {}
        return (
          <>
            {exception && (
              <Text size="sm" mb="xs">
                It stands by{' '}
                <Anchor component={Link} to={`/governance?tab=exceptions&exception=${exception}`} inherit>
                  an exception
                </Anchor>.
              </Text>
            )}
            {policy ? <Policy id={policy} /> : <Text size="sm">No policy of the catalogue was named with it.</Text>}
          </>
        )
      }}</Loaded>
    </Section>
  )
}

function Policy({ id }: { id: string }) {
  const policy = useQuery(get('/api/v1/provider-policies/{id}', { params: { path: { id } } }))
  return <Loaded query={policy} rows={2}>{(found) => <PolicyFacts policy={found} />}</Loaded>
}

function PolicyFacts({ policy }: { policy: Schema<'ProviderPolicyOut'> }) {
  return (
    <Facts>
      <Fact name="Policy"><Outside>{policy.name}</Outside></Fact>
      <Fact name="Provider">{policy.provider}</Fact>
      <Fact name="Type"><Outside>{policy.type}</Outside></Fact>
      <Fact name="What it does"><Outside>{policy.effect}</Outside></Fact>
      <Fact name="Where it holds"><Outside mono>{policy.scope}</Outside></Fact>
      <Fact name="In force"><Status of={policy.status} /></Fact>
      <Fact name="Its provider’s id"><Outside mono>{policy.external_id}</Outside></Fact>
    </Facts>
  )
}
