import { Page } from '../../parts/Page'
import { TabsInUrl } from '../../parts/TabsInUrl'
import { Beliefs } from './Beliefs'
import { Calibration } from './Calibration'
import { Decisions } from './Decisions'
import { Outcomes } from './Outcomes'

const TABS = [
  { value: 'beliefs', label: 'Beliefs', view: Beliefs },
  { value: 'calibration', label: 'Calibration', view: Calibration },
  { value: 'outcomes', label: 'Outcomes', view: Outcomes },
  { value: 'decisions', label: 'Decisions', view: Decisions },
]

/** What is believed of changes, what that was worth, what came of them, and what was decided. */
export function Risk() {
  return (
    <Page title="Risk" about="What is believed of changes, and what it was worth.">
      <TabsInUrl tabs={TABS} label="Part" />
    </Page>
  )
}
