import { useRouterState } from '@tanstack/react-router'

/** The path of the view that is shown: while another one loads still the one before. Nothing before the first is there. */
export const useArrived = (): string | undefined =>
  useRouterState({ select: (state) => state.resolvedLocation?.pathname })
