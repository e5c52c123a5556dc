import { Anchor, Stack, Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { Schema } from '../../api/client'
import { get } from '../../api/queries'
import { useSearch } from '../../app/search'
import type { Constants } from '../../logic/autonomy'
import { percent, rounded } from '../../logic/decision'
import { PlainTable, type PlainColumn } from '../../parts/PlainTable'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import { Autonomy } from './Autonomy'
import { beliefs, useConstants, type Belief } from './beliefs'
import { Densities } from './Densities'

/** What is believed of each category of changes, and what that allows. */
export function Beliefs() {
  const learned = useQuery(get('/api/v1/beliefs'))
  const constants = useConstants()
  return <Loaded query={learned} rows={8}>{(found) => <Shown learned={found} constants={constants} />}</Loaded>
}

function Shown({ learned, constants }: { learned: Schema<'BeliefOut'>[]; constants: Constants }) {
  const [search, setSearch] = useSearch()
  const all = useMemo(() => beliefs(learned, constants), [learned, constants])
  const most = all.reduce<Belief | undefined>((best, one) => (one.n > (best?.n ?? -1) ? one : best), undefined)
  const chosen = all.find((one) => one.category === search.category) ?? most
  return (
    <Stack gap="md">
      <Section title="How likely a change fails">
        <Stack gap="sm">
          <Text size="sm" className="faint">
            One curve a category: where it is high, the probability of failure is believed to be. Verified outcomes make
            it narrow.
          </Text>
          <Densities of={all} chosen={chosen?.category} />
          <Categories
            of={all} chosen={chosen?.category} mass={constants.intervalMass}
            onChoose={(category) => setSearch({ category })}
          />
        </Stack>
      </Section>
      {chosen && <Autonomy belief={chosen} />}
    </Stack>
  )
}

interface CategoriesProps {
  of: Belief[]
  chosen: string | undefined
  mass: number
  onChoose: (category: string) => void
}

function Categories({ of, chosen, mass, onChoose }: CategoriesProps) {
  const columns: PlainColumn<Belief>[] = [
    {
      name: 'Category',
      cell: (one) => (
        <Anchor
          component="button" type="button" size="sm" mih={24}
          aria-pressed={one.category === chosen} onClick={() => onChoose(one.category)}
        >
          {one.category}
        </Anchor>
      ),
    },
    { name: 'alpha', cell: (one) => rounded(String(one.posterior.alpha)) },
    { name: 'beta', cell: (one) => rounded(String(one.posterior.beta)) },
    { name: 'Mean', cell: (one) => percent(one.mean, 2) },
    {
      name: `${percent(mass, 0)} interval`,
      cell: ({ interval }) => `${percent(interval.low)} to ${percent(interval.high)}`,
    },
    { name: 'Verified', cell: (one) => one.n },
    {
      name: 'Learned',
      cell: (one) =>
        one.updatedAt ? <When at={one.updatedAt} /> : <span className="faint">nothing yet: the prior</span>,
    },
  ]
  return (
    <>
      <Text size="sm" className="faint">Alpha counts failures, beta successes, both on top of the prior.</Text>
      <PlainTable label="Posteriors" columns={columns} rows={of} id={(one) => one.category} chosen={chosen} />
    </>
  )
}
