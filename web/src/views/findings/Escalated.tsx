import { Alert, Text } from '@mantine/core'
import type { Schema } from '../../api/client'
import { ActorName } from '../../parts/ActorName'
import { Outside } from '../../parts/Outside'
import { When } from '../../parts/When'

/** Who handed a finding on, when, and why: what whoever is to look at it reads first. */
export function Escalated({ finding }: { finding: Schema<'AnyFindingOut'> }) {
  if (!finding.escalated_at) return null
  const standing = finding.status === 'escalated'
  return (
    <Alert
      color={standing ? 'orange' : 'gray'} variant="light"
      title={standing ? 'Escalated: somebody is to look at it' : 'It was escalated before'}
    >
      <Text size="sm" component="div">
        by <ActorName id={finding.escalated_by} /> <When at={finding.escalated_at} />:{' '}
        <Outside>{finding.escalation_reason}</Outside>
      </Text>
    </Alert>
  )
}
