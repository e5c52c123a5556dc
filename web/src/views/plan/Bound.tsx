import { Anchor, Stack, Text } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { fields, number, text } from '../../logic/json'
import { runsNowhere } from '../../logic/planDocument'
import { count } from '../../logic/words'
import { Section } from '../../parts/Section'
import { Facts } from '../risk/Facts'
import { Outside } from '../../parts/Outside'
import type { Everything } from './usePlan'

/** What an approval of this plan is for, to the letter. */
export function Bound({ all: { plan, document, approval, decision, record } }: { all: Everything }) {
  const blast = fields(plan.blast_radius)
  const final = blast.irreversible === true ? ', irreversible' : ''
  const reach = `${count(number(blast.targets) ?? 0, 'target')}, ${text(blast.scope)}${final}`
  const bound = approval?.bound_hash ?? decision?.bound_hash
  const { runbook } = document
  return (
    <Section title="What an approval is bound to">
      <Stack gap="sm">
        <Text size="sm" className="faint">
          Change any of it, and the approval is void and people are asked again: commands, targets, logins, host keys,
          policy, tier, reach.
        </Text>
        <Facts
          of={[
            ['Plan', (
              <>
                <Hash of={plan.plan_hash} />{' '}
                {plan.intact ? 'and the stored bytes still have it' : <b>but the stored bytes do not have it</b>}
              </>
            )],
            ['Policy', record?.policyBundleHash && (
              <><Hash of={record.policyBundleHash} />{!decision?.policy_bundle_id && ' (the bundle that ships)'}</>
            )],
            ['Tier', approval?.tier ?? decision?.tier],
            ['Reach', !runsNowhere(document) && reach],
            ['Together', bound && <Hash of={bound} />],
            ['Runbook', runbook.id && (
              <>
                <Anchor component={Link} to={`/runbooks/${runbook.id}`} size="sm">
                  <Outside>{runbook.name}</Outside>
                </Anchor>
                {runbook.version !== undefined && `, version ${runbook.version}`}
              </>
            )],
            ['Decision', decision && (
              <Anchor component={Link} to={`/decisions/${decision.id}`} size="sm">As it was signed</Anchor>
            )],
            ['Ids', (
              <span className="mono">{[plan.id, plan.intent_id, approval?.id].filter((id) => id).join(' ')}</span>
            )],
          ]}
        />
      </Stack>
    </Section>
  )
}

const Hash = ({ of }: { of: string }) => <span className="mono">{of}</span>
