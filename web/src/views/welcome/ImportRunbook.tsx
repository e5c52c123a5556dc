import { Anchor, Code, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { api } from '../../api/client'
import { Loaded } from '../../parts/State'
import { Act } from './Act'
import { SourceKey } from './ConnectSource'
import { useDemoEstate } from './demoEstate'

const WANTED = 'restart-supervised-service'

/** A runbook: what may be done about the alert that is to come. */
export function ImportRunbook() {
  const estate = useDemoEstate()
  return (
    <>
      <SourceKey />
      <Loaded query={estate}>
        {(estate) => {
          const runbook = estate?.runbooks.find((one) => one.name === WANTED)
          if (!runbook) {
            return (
              <Text size="sm" mt="xs">Write or import one under <Anchor component={Link} to="/runbooks">Runbooks</Anchor>, and activate it.</Text>
            )
          }
          return (
            <Act label="Import it" act={() => api.POST('/api/v1/runbooks', { body: { yaml: runbook.yaml } })}>
              <b>{WANTED}</b>: looks at a service, restarts it if it is down, and checks that it is up. Its trigger says for which
              alerts; its steps are all that will ever run.
              <Code block mt="xs" mah={240} tabIndex={0} aria-label="The runbook" style={{ overflow: 'auto' }}>{runbook.yaml}</Code>
            </Act>
          )
        }}
      </Loaded>
    </>
  )
}
