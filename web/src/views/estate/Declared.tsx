import { Text } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { get } from '../../api/queries'
import { Outside } from '../../parts/Outside'
import { Section } from '../../parts/Section'
import { Loaded } from '../../parts/State'
import { When } from '../../parts/When'
import classes from './Estate.module.css'

const MOST = 50

/** Where code declares a resource. */
export function Declared({ id }: { id: string }) {
  const found = useQuery(get('/api/v1/iac-resources', { params: { query: { resource_id: [id], limit: MOST } } }))
  return (
    <Section title="Declared in">
      <Loaded query={found} rows={2}>
        {({ items }) => items.length === 0 ? (
          <Text size="sm" className="faint">No code that is read here declares it.</Text>
        ) : (
          <ul className={classes.felt}>
            {items.map((one) => (
              <li key={one.id}>
                <Outside mono>{one.address}</Outside>
                <Text size="sm" className="faint" component="div">
                  <Source id={one.iac_repository_id} />
                  {one.declared_in && <>, <Outside mono>{one.declared_in}</Outside></>}
                  , read <When at={one.last_sync_at} />
                </Text>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Section>
  )
}

function Source({ id }: { id: string }) {
  const source = useQuery(get('/api/v1/iac-repositories/{id}', { params: { path: { id } } })).data
  if (!source) return <span className="mono">{id}</span>
  return <><Outside>{source.name}</Outside> ({source.tool})</>
}
