import { Stack } from '@mantine/core'
import type { Schema } from '../../api/client'
import {
  readComponents, readCounterfactual, readGuards, readReasons, type DecisionRecord,
} from '../../logic/decision'
import { Section } from '../../parts/Section'
import { Counterfactual } from './Counterfactual'
import { Guards, Reasons } from './Judges'
import { Losses, Tiers } from './Losses'
import { Score } from './Score'

type Of = Schema<'DecisionOut'>

/** Every reason of policies and every guard that spoke. */
export function Why({ title, of }: { title: string; of: Of }) {
  return (
    <Section title={title}>
      <Stack gap="md">
        <Reasons reasons={readReasons(of.reasons)} verdict={of.verdict} />
        <Guards guards={readGuards(of.guards)} />
      </Stack>
    </Section>
  )
}

/** The risk with all its parts: score and components, tiers, losses. */
export function RiskOf({ of, record }: { of: Of; record: DecisionRecord }) {
  return (
    <>
      <Score tier={of.tier} score={of.risk_score} components={readComponents(of.components)} record={record} />
      <Tiers record={record} />
      <Losses record={record} />
    </>
  )
}

/** The least that would have led to another verdict. */
export function WouldDiffer({ of }: { of: Of }) {
  return (
    <Section title="What would have had to differ">
      <Counterfactual changes={readCounterfactual(of.counterfactual)} verdict={of.verdict} />
    </Section>
  )
}
